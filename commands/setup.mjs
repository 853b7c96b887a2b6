// npm start, test, build, test:real, bench and fixtures: installs and builds what has changed, then runs. Needs Node alone.

import { createHash } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lock, stampOf } from './setup-lock.mjs';
import { Fault, runNode, runQuietly, say } from './setup-process.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const installStamp = join(root, 'node_modules', '.sealwatch-install');
const buildStamp = join(root, 'dist', '.sealwatch-build');
/** Everything that the build reads. `test` is built only for the bench and the fixtures. */
const sources = ['main.ts', 'commands', 'core', 'ingest', 'detectors', 'storage', 'vault', 'outputs', 'api'];
const configs = ['package-lock.json', 'tsconfig.json', 'tsconfig.build.json', 'tsconfig.tools.json'];
/** Folders whose files that are not TypeScript go to dist/ as they are. */
const assets = ['detectors/rules', 'dashboards/web'];

const verbs = {
  start: async (args) => {
    say('starting');
    await prepare('tsconfig.build.json');
    return runNode([join('dist', 'main.js'), 'run', ...args]);
  },
  build: async () => {
    await prepare('tsconfig.build.json');
    return 0;
  },
  test: async (args) => {
    await prepare('tsconfig.build.json');
    return vitest('test', ['--project', 'unit', '--project', 'contract', '--project', 'e2e', ...args]);
  },
  'test:real': async (args) => {
    // With the tools: chaos has a sender that is a process of its own.
    await prepare('tsconfig.tools.json');
    await startServers();
    return vitest('real', ['--project', 'real', ...args]);
  },
  bench: async (args) => {
    await prepare('tsconfig.tools.json');
    // `npm run bench -- faults` runs another measurement of the folder.
    const [name, ...rest] = args[0]?.startsWith('-') === false ? args : ['bench', ...args];
    return runNode(['--expose-gc', join('dist', 'test', 'bench', `${name}.js`), ...rest]);
  },
  fixtures: async (args) => {
    await prepare('tsconfig.tools.json');
    await startServers();
    return runNode([join('dist', 'test', 'real', 'capture.js'), ...args]);
  },
};

process.chdir(root);
try {
  requireNode();
  const [verb = '', ...args] = process.argv.slice(2);
  const run = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
  if (run === undefined)
    throw new Fault(`usage: node commands/setup.mjs ${Object.keys(verbs).join('|')} [ARGS]`);
  process.exitCode = await run(args[0] === '--' ? args.slice(1) : args);
} catch (error) {
  if (!(error instanceof Fault)) throw error;
  say(error.message);
  process.exitCode = 1;
}

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new Fault(
    `Node ${process.versions.node} is too old: install Node 20.19 or newer (22 and 24 are fine).`,
  );
}

/** Installs and builds, each only when something has changed, and one process at a time. */
async function prepare(project) {
  const wanted = { install: installState(), build: buildState(project) };
  if (isPrepared(wanted)) return;
  const unlock = await lock(join(root, '.setup-lock'));
  try {
    if (stampOf(installStamp) !== wanted.install) await install(wanted.install);
    if (!isBuilt(wanted.build)) await build(project, wanted.build);
  } finally {
    unlock();
  }
}

function isPrepared(wanted) {
  return stampOf(installStamp) === wanted.install && isBuilt(wanted.build);
}

/** A build with the tools in it serves the product as well. */
function isBuilt(wanted) {
  const [sourceHash, tools] = stampOf(buildStamp).split(' ');
  const [wantedHash, wantedTools] = wanted.split(' ');
  return sourceHash === wantedHash && (wantedTools === '-' || tools === wantedTools);
}

/** What the installed packages depend on: the lock file, and what native packages are chosen by. */
function installState() {
  const hash = createHash('sha256').update(readFileSync('package-lock.json'));
  const major = process.versions.node.split('.')[0];
  return `${hash.digest('hex')} node${major} ${process.platform}-${process.arch}`;
}

/** `<hash of the product's sources> <hash of the tests' sources, or - when they are not built>`. */
function buildState(project) {
  const product = hashOf([...sources, 'dashboards', ...configs]);
  return `${product} ${project === 'tsconfig.tools.json' ? hashOf(['test/real', 'test/bench', 'test/fuzz', 'test/permuter']) : '-'}`;
}

function hashOf(paths) {
  const hash = createHash('sha256');
  for (const file of paths.flatMap((path) => filesUnder(path)))
    hash.update(`${file}\0${statSync(file).size}\0`).update(readFileSync(file));
  return hash.digest('hex');
}

function filesUnder(path) {
  if (!existsSync(path)) return [];
  if (statSync(path).isFile()) return [path];
  return readdirSync(path)
    .sort()
    .flatMap((name) => filesUnder(join(path, name)));
}

async function install(state) {
  // The stamp goes first and comes last: an install that was interrupted is done again.
  rmSync(installStamp, { force: true });
  const args = ['ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund'];
  const { code, output } = await runQuietly('installing packages', npmCommand(), args);
  if (code !== 0) throw new Fault(`npm ${args.join(' ')} failed: ${npmCause(output)}`);
  writeFileSync(installStamp, state);
}

/** npm tells its own path to the scripts it runs; without it the shell's npm is taken. */
function npmCommand() {
  const npm = process.env.npm_execpath;
  return npm?.endsWith('.js') ? [process.execPath, npm] : ['npm'];
}

function npmCause(output) {
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|network/i.test(output))
    return 'the package registry did not answer. The first start needs the network, later ones do not.';
  // npm's first lines are codes; the sentence after them says what is wrong.
  const lines = output.match(/^npm (?:error|ERR!) (?!code |errno |A complete log).*$/gm) ?? [];
  return (
    lines.map((line) => line.replace(/^npm (error|ERR!) /, ''))[0] ??
    output.trim().split('\n').at(-1) ??
    'no output'
  );
}

async function build(project, state) {
  rmSync('dist', { recursive: true, force: true });
  const tsc = join('node_modules', 'typescript', 'bin', 'tsc');
  const { code, output } = await runQuietly('building', [process.execPath, tsc], ['-p', project]);
  if (code !== 0) throw new Fault(`the build failed:\n${output.trim()}`);
  for (const folder of assets.filter((path) => existsSync(path)))
    cpSync(folder, join('dist', folder), { recursive: true, filter: (file) => !file.endsWith('.ts') });
  writeFileSync(buildStamp, state);
}

/** The servers of test/real that take long to get; the tests start their own instances. */
async function startServers() {
  const servers = join('test', 'real', 'servers');
  for (const [label, script] of [
    ['getting a real Vault (the first time it is built: 10 to 20 minutes)', join('vault', 'build.sh')],
    ['getting Kafka', join('kafka', 'get.sh')],
    ['getting Elasticsearch', join('elasticsearch', 'get.sh')],
    ['starting PostgreSQL', 'postgres.sh'],
  ]) {
    const { code, output } = await runQuietly(label, ['bash'], [join(servers, script)]);
    if (code !== 0) throw new Fault(`${relative(root, join(servers, script))} failed: ${output.trim()}`);
  }
}

/** Runs the tests of some projects; the report beside it is what `.ci/run` counts. */
function vitest(name, args) {
  const report = `.vitest-report-${name}.json`;
  rmSync(report, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  return runNode([join('node_modules', 'vitest', 'vitest.mjs'), 'run', ...reporters, ...args]);
}
