// Incidents: the riskiest of the last ones; one with its time line and risk, and what a person says of it.

import { byId, call, callJson, element, fill, number, time } from './page.js';

const SHOWN = 200;
const LISTED = 20;

/** The newest incidents of the status chosen, the riskiest first. */
export async function showIncidents(open) {
  const status = byId('incident-status').value;
  const { items } = await callJson('/v1/incidents', { order: 'desc', limit: String(SHOWN), status });
  const riskiest = items.sort((a, b) => b.risk - a.risk).slice(0, LISTED);
  const rows = riskiest.map((incident) => [
    [number(incident.risk), 'number'],
    [incident.level, `level-${incident.level}`],
    incident.subject.name ?? incident.subject.id,
    [`${time(incident.first_seen)} to ${incident.last_seen.slice(11, 19)}`, 'time'],
    [number(incident.alerts), 'number'],
    incident.rules.map((rule) => rule.name).join(', '),
    incident.triage.status,
  ]);
  fill('incidents', rows, 'No incidents.');
  if (riskiest.length === 0) return;
  for (const [i, line] of [...byId('incidents').rows].entries()) {
    const { id, subject } = riskiest[i];
    const button = element('button', subject.name ?? subject.id, 'link');
    button.type = 'button';
    button.addEventListener('click', () => void open(id));
    line.cells[2].replaceChildren(button);
  }
}

/** Shows one incident; `said` is called when somebody has said something of it. */
export async function showIncident(id, said) {
  const incident = await callJson(`/v1/incidents/${encodeURIComponent(id)}`);
  const { subject, triage } = incident;
  byId('incident').hidden = false;
  byId('incident-title').textContent = `${subject.name ?? subject.id}: risk ${number(incident.risk)}`;
  byId('incident-facts').replaceChildren(...factsOf(incident).map(([name, value]) => pair(name, value)));
  byId('incident-risk').replaceChildren(
    ...[...incident.risk_parts.map(({ text, points }) => `${number(points)}: ${text}`), ...(incident.raised ? [incident.raised] : [])].map(
      (sentence) => element('li', sentence),
    ),
  );
  const last = new Map(incident.alert_rows.map((row) => [row.alert.id, row.triage]));
  const rows = incident.timeline.map((moment) => [
    [time(moment.at), 'time'],
    [moment.level, `level-${moment.level}`],
    moment.message,
    saidOf(last.get(moment.alert_id)),
  ]);
  fill('timeline', rows, 'No alerts.');
  byId('triage').onsubmit = (event) => {
    event.preventDefault();
    void say(id, event.submitter.value, said);
  };
  byId('triage-state').textContent =
    `${triage.status}: ${number(triage.open)} open, ${number(triage.acknowledged)} acknowledged, ${number(triage.closed)} closed`;
  byId('incident-title').focus();
}

function factsOf({ subject, level, addresses, secrets, techniques, made_by: maker, continues }) {
  const facts = [
    ['Identity', subject.id],
    ['Level', level],
    ['Addresses', addresses.join(', ')],
    ['Secrets', secrets.join(', ')],
    ['ATT&CK', techniques.join(', ')],
    ['Made by', maker?.name ?? maker?.id ?? ''],
    ['Goes on from', continues === null ? '' : 'the day before'],
  ];
  return facts.filter(([, value]) => value !== '');
}

function pair(name, value) {
  const both = document.createElement('div');
  both.append(element('dt', name), element('dd', value));
  return both;
}

const saidOf = (record) =>
  record ? [record.status, record.verdict?.replaceAll('_', ' '), record.note, `(${record.by})`].filter(Boolean).join(' ') : 'open';

/** The buttons' values are a status, or a status and a verdict. */
async function say(id, value, said) {
  const [status, verdict] = value.split(' ');
  const note = byId('note').value.trim();
  const body = { status, ...(verdict && { verdict }), ...(note !== '' && { note }) };
  try {
    await call(`/v1/incidents/${encodeURIComponent(id)}/triage`, {}, body);
    byId('note').value = '';
    byId('triage-problem').textContent = '';
  } catch (error) {
    byId('triage-problem').textContent = `That did not work: ${error.message}`;
    return;
  }
  await showIncident(id, said);
  await said();
}
