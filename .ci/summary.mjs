// Sums up test reports and failed steps: node summary.mjs REPORT... -- [FAILED_STEP...]. The last line is the result.

import { readFileSync } from 'node:fs';

const separator = process.argv.indexOf('--');
const reports = process.argv.slice(2, separator);
const failedSteps = process.argv.slice(separator + 1);
let passed = 0;
const faults = [];

for (const path of reports) {
  const report = readReport(path);
  if (report === undefined) faults.push(`${path}: no report, the tests did not run`);
  else if (report.testResults.length === 0) faults.push(`${path}: the report is empty`);
  else for (const file of report.testResults) countFile(file);
}
// A test step ends non-zero because of its failed tests, which are counted already.
for (const step of failedSteps)
  if (!step.startsWith('test') || faults.length === 0) faults.push(`step ${step} failed`);

for (const fault of faults) console.log(`FAILED ${fault}`);
console.log(`${passed} passed, ${faults.length} failed`);
process.exitCode = faults.length === 0 ? 0 : 1;

function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** What the test said first, or the hook before it: whoever reads the last lines may have no others. */
function cause(file, test) {
  const [line = ''] = (test.failureMessages?.[0] || file.message || '').split('\n');
  return line === '' ? '' : `: ${line.slice(0, 500)}`;
}

/** A test that is skipped or left to do proves nothing, so it counts as failed. */
function countFile(file) {
  for (const test of file.assertionResults)
    if (test.status === 'passed') passed++;
    else faults.push(`${file.name}: ${test.fullName.trim()} (${test.status})${cause(file, test)}`);
  const hasFault = file.assertionResults.some((test) => test.status !== 'passed');
  if (!hasFault && (file.status !== 'passed' || file.assertionResults.length === 0))
    faults.push(`${file.name}: ${(file.message ?? '').split('\n')[0] || 'no test ran'}`);
}
