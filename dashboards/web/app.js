// The web page: state, incidents, last alerts, last calls, CC6.1.

import { showIncident, showIncidents } from './incidents.js';
import { byId, call, callJson, element, few, fill, KEY, number, say, time } from './page.js';

const REFRESH_MS = 10_000;

/** Runs `work`, shows what went wrong, and asks for the key again when it is not accepted. */
async function attempt(work) {
  try {
    await work();
    say('');
  } catch (error) {
    if (error.status === 401) signOut();
    say(error.status === 401 ? 'This key is not accepted.' : `That did not work: ${error.message}`);
  }
}

async function showState() {
  const state = await (await fetch('/readyz')).json();
  byId('state').textContent = state.ready ? 'Ready' : `Not ready: ${state.reasons.join(', ')}`;
  byId('state').className = state.ready ? 'is-ready' : 'not-ready';
}

/** What to think of a device, and the class that shows it. */
function stateOf({ silent, heartbeat_missed: missed, heartbeat_seen: seen }) {
  if (missed > 0) return [`blind for ${number(missed)} of ${number(missed + seen)} look-ups`, 'bad'];
  if (silent) return ['silent', 'bad'];
  return seen > 0 ? [`answers (${number(seen)} look-ups)`, 'good'] : ['brings lines', ''];
}

/** A count that should be 0 stands out when it is not. */
const fault = (count) => [number(count), count > 0 ? 'number bad' : 'number'];

const reasons = (byReason) =>
  Object.entries(byReason)
    .map(([reason, count]) => `${number(count)} ${reason.replaceAll('_', ' ')}`)
    .join(', ');

/** Hours that somebody should look at, the newest first; partitions of an hour together. */
function oddHours(rows) {
  const hours = new Map();
  for (const row of rows) {
    const key = `${row.hour ?? ''} ${row.device}`;
    const sum = hours.get(key) ?? { ...row, gaps: 0, dropped: 0, heartbeat_missed: 0 };
    for (const counter of ['gaps', 'dropped', 'heartbeat_missed']) sum[counter] += row[counter];
    hours.set(key, sum);
  }
  return [...hours].sort(([a], [b]) => (a < b ? 1 : -1)).map(([, row]) => row);
}

async function showCoverage() {
  const coverage = await callJson('/v1/coverage', { limit: '1' });
  const { devices, sentences, extent, gap_hours: gapHours, blind_hours: blindHours, nodes } = coverage;
  byId('statement').replaceChildren(...sentences.map((sentence) => element('li', sentence)));
  // A row can stand in both lists.
  const odd = oddHours(new Map([...gapHours, ...blindHours].map((row) => [JSON.stringify(row), row])).values());
  const facts = [
    ['Event time has come to', time(extent.watermark)],
    ['First event held', time(extent.first)],
    ['Last event held', time(extent.last)],
    ['Hours to look at', String(odd.length)],
    ['Nodes not collected', String(nodes.filter(({ collected }) => !collected).length)],
  ];
  byId('facts').replaceChildren(
    ...facts.map(([name, value]) => {
      const pair = document.createElement('div');
      pair.append(element('dt', name), element('dd', value));
      return pair;
    }),
  );
  fill(
    'devices',
    devices.map((row) => [
      row.device,
      stateOf(row),
      [row.origin ?? '', ['unverified', 'unprovable'].includes(row.origin) ? 'bad' : ''],
      [number(row.received), 'number'],
      [number(row.paired), 'number'],
      [number(row.unpaired), 'number'],
      [number(row.late), 'number'],
      fault(row.rejected),
      fault(row.dropped),
      fault(row.gaps),
      reasons(row.rejected_by_reason),
    ]),
    'No line was received yet.',
  );
  byId('odd-hours').parentElement.parentElement.hidden = odd.length === 0;
  fill(
    'odd-hours',
    odd
      .slice(0, 24)
      .map((row) => [
        [row.hour === null ? 'no usable time' : time(row.hour), 'time'],
        row.device,
        fault(row.gaps),
        fault(row.dropped),
        fault(row.heartbeat_missed),
      ]),
    '',
  );
}

async function showAlerts() {
  const { items } = await callJson('/v1/alerts', { order: 'desc', limit: '20' });
  const rows = items.map((alert) => [
    [alert.rule.level, `level-${alert.rule.level}`],
    [time(alert['@timestamp']), 'time'],
    alert.message,
    alert.triage?.status ?? 'open',
  ]);
  fill('alerts', rows, 'No alerts.');
}

const openIncident = (id) => attempt(() => showIncident(id, said));

/** Something was said of an alert: the lists show it. */
const said = () => attempt(() => Promise.all([showIncidents(openIncident), showAlerts()]));

/** What is typed as a person may be a name or an id: the name first, as that is what people know. */
async function findCalls() {
  const match = byId('match').value.trim();
  const query = { order: 'desc', limit: '50', secret_prefix: byId('secret').value.trim(), match };
  const who = byId('who').value.trim();
  const named = await callJson('/v1/events', { ...query, name: who });
  if (named.items.length > 0 || who === '') return named.items;
  return (await callJson('/v1/events', { ...query, user: who })).items;
}

async function showCalls() {
  const rows = (await findCalls()).map((event) => [
    [time(event['@timestamp']), 'time'],
    event.user.name ?? event.user.id,
    event.event.action,
    event.vault.request.path ?? '',
    [event.event.outcome, `outcome-${event.event.outcome}`],
    event.source?.ip ?? '',
  ]);
  fill('calls', rows, 'No calls.');
}

function showAnswer(answer) {
  const { totals, complete } = answer;
  byId('answer').hidden = false;
  byId('answer-summary').textContent =
    `${number(totals.reads)} reads of ${totals.secrets} secrets by ${totals.callers} callers; ` +
    `${totals.exceptions} exception rows. ${complete ? 'Nothing is known to be missing.' : 'Not complete, see below.'}`;
  byId('answer-summary').className = complete ? '' : 'incomplete';
  const found = answer.exceptions.filter(({ calls }) => calls > 0);
  byId('answer-exceptions').replaceChildren(
    ...found.map(({ title, calls }) => element('li', `${title}: ${number(calls)}`)),
  );
  byId('answer-limits').replaceChildren(...answer.limits.map((sentence) => element('li', sentence)));
  const rows = answer.population.map((row) => [
    row.who.name ?? row.who.id,
    row.who.kind,
    row.secret ?? '',
    row.action,
    [number(row.reads), 'number'],
    [time(row.first_read), 'time'],
    [time(row.last_read), 'time'],
    few(row.addresses),
  ]);
  fill('rows', rows, 'No reads in this period.');
}

/** The key travels in a header, which a plain link cannot send: so the file is fetched and handed to the browser. */
async function download(response) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await response.blob());
  link.download = /filename="([^"]+)"/.exec(response.headers.get('content-disposition') ?? '')?.[1] ?? 'evidence.csv';
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

async function askEvidence(format) {
  const midnight = (id) => `${byId(id).value}T00:00:00Z`;
  const response = await call('/v1/evidence/CC6.1', { from: midnight('from'), to: midnight('to'), format });
  if (format === 'csv') await download(response);
  else showAnswer(await response.json());
}

async function refresh() {
  if (sessionStorage.getItem(KEY) === null || document.hidden) return;
  await attempt(async () => {
    await Promise.all([showState(), showCoverage(), showIncidents(openIncident), showAlerts(), showCalls()]);
    byId('sign-in').hidden = true;
    byId('content').hidden = false;
    byId('sign-out').hidden = false;
  });
}

function signOut() {
  sessionStorage.removeItem(KEY);
  byId('sign-in').hidden = false;
  byId('content').hidden = true;
  byId('sign-out').hidden = true;
  byId('state').textContent = 'Not connected';
  byId('state').className = '';
  byId('key').focus();
}

const onSubmit = (id, work) =>
  byId(id).addEventListener('submit', (event) => {
    event.preventDefault();
    void work(event);
  });

onSubmit('sign-in', async () => {
  sessionStorage.setItem(KEY, byId('key').value.trim());
  byId('key').value = '';
  await refresh();
});
onSubmit('filter', () => attempt(showCalls));
byId('incident-status').addEventListener('change', () => void attempt(() => showIncidents(openIncident)));
onSubmit('evidence', (event) => attempt(() => askEvidence(event.submitter?.value ?? 'json')));
byId('sign-out').addEventListener('click', signOut);

// The quarter so far, to today included.
const today = new Date();
const isoDay = (date) => date.toISOString().slice(0, 10);
byId('from').value = isoDay(new Date(Date.UTC(today.getUTCFullYear(), Math.floor(today.getUTCMonth() / 3) * 3, 1)));
byId('to').value = isoDay(new Date(today.getTime() + 86_400_000));

await attempt(showState);
await refresh();
setInterval(() => void refresh(), REFRESH_MS);
