// Elasticsearch, where evidence is kept there: version, templates, rights, lifecycle, health, room.

import type { Config } from '../../core/config.ts';
import { isLoopback } from '../../core/devices.ts';
import { SealwatchError } from '../../core/errors.ts';
import { asking, type Client, connect, statusOf } from '../../storage/evidence/elasticsearch/client.ts';
import {
  checkLayouts,
  hasLifecycle,
  MAJOR_VERSION,
  setup,
} from '../../storage/evidence/elasticsearch/setup.ts';
import { LAYOUT, renderTemplates } from '../../storage/evidence/elasticsearch/templates.ts';
import { checkCertificate, checkSecret } from './files.ts';
import { type Finding, fail, ok, warn } from './finding.ts';
import { checkClock } from './vault.ts';

/** Nothing with embedded evidence. With `fix`, templates and single indices are put. */
export async function checkElasticsearch(config: Config, fix: boolean): Promise<Finding[]> {
  if (config.evidence !== 'elasticsearch') return [];
  const files = checkFiles(config);
  if (files.some(({ state }) => state === 'fail')) return files;
  const client = await connect(config.elasticsearch);
  try {
    return [...files, ...(await asking(config.elasticsearch, () => checkOn(client, config, fix)))];
  } catch (error) {
    if (!(error instanceof SealwatchError)) throw error;
    return [...files, fail(error.message, error.advice)];
  } finally {
    await client.close();
  }
}

async function checkOn(client: Client, config: Config, fix: boolean): Promise<Finding[]> {
  const { version } = await client.info();
  if (Number.parseInt(version.number, 10) !== MAJOR_VERSION)
    return [
      fail(
        `Elasticsearch is version ${version.number}, sealwatch speaks with version ${MAJOR_VERSION}`,
        `Upgrade the cluster to ${MAJOR_VERSION}.x; from 8.19 that is a rolling upgrade.`,
      ),
    ];
  const target = { client, settings: config.elasticsearch };
  if (fix) await setup(client, config.elasticsearch, config.retention.eventDays);
  const lifecycle = await hasLifecycle(target);
  return [
    ok(`Elasticsearch ${version.number} answers`),
    ...(fix ? [ok('put the templates, made the indices that were missing')] : []),
    ...(await checkTemplates(client, config)),
    ...(await checkIndices(target)),
    ...(await checkRights(client, config)),
    lifecycle
      ? ok('index lifecycle management deletes old days, too')
      : ok('no index lifecycle management, or no right to see it: sealwatch deletes old days alone'),
    ...(await checkHealth(client, config)),
    ...(await checkNodes(client)),
  ];
}

function checkFiles({ elasticsearch }: Config): Finding[] {
  const { nodes, apiKeyFile, username, passwordFile, caFile } = elasticsearch;
  const remote = nodes.filter((node) => !isLoopback(new URL(node).hostname.replace(/^\[|\]$/g, '')));
  const plain = remote.filter((node) => node.startsWith('http:'));
  return [
    ...(apiKeyFile === undefined ? [] : [checkSecret('the API key for Elasticsearch', apiKeyFile)]),
    ...(passwordFile === undefined ? [] : [checkSecret('the password for Elasticsearch', passwordFile)]),
    ...(caFile === undefined ? [] : [checkCertificate('the authority of Elasticsearch', caFile, Date.now())]),
    ...(plain.length === 0
      ? []
      : [
          warn(
            `evidence travels to ${plain.join(', ')} without TLS`,
            'Use https and SEALWATCH_ELASTICSEARCH_CA_FILE.',
          ),
        ]),
    ...(remote.length > 0 && apiKeyFile === undefined && username === undefined
      ? [
          warn(
            'sealwatch shows Elasticsearch no login: whoever reaches it can read and change the evidence',
            'Switch its security on and use the roles of deploy/elasticsearch.',
          ),
        ]
      : []),
  ];
}

async function checkTemplates(client: Client, { elasticsearch }: Config): Promise<Finding[]> {
  const wanted = Object.keys(renderTemplates(elasticsearch).indices);
  const { index_templates: found } = await client.indices
    .getIndexTemplate({
      name: `${elasticsearch.prefix}-*`,
      filter_path: ['index_templates.name', 'index_templates.index_template._meta'],
    })
    .catch((error: unknown) => {
      if (statusOf(error) === 404) return { index_templates: undefined };
      throw error;
    });
  const layouts = new Map(
    (found ?? []).map(({ name, index_template }) => [name, index_template._meta?.['layout']]),
  );
  const missing = wanted.filter((name) => !layouts.has(name));
  const other = wanted.filter((name) => layouts.has(name) && layouts.get(name) !== LAYOUT);
  const todo =
    'Run `sealwatch doctor --fix` with the role sealwatch-setup, or put deploy/elasticsearch/templates yourself.';
  return [
    ...(missing.length === 0
      ? []
      : [fail(`${missing.length} templates are missing: ${missing.join(', ')}`, todo)]),
    ...(other.length === 0 ? [] : [fail(`templates of another layout: ${other.join(', ')}`, todo)]),
    ...(missing.length + other.length === 0
      ? [ok(`${wanted.length} index templates of layout ${LAYOUT}`)]
      : []),
  ];
}

async function checkIndices(target: Parameters<typeof checkLayouts>[0]): Promise<Finding[]> {
  try {
    await checkLayouts(target);
    return [];
  } catch (error) {
    if (!(error instanceof SealwatchError)) throw error;
    return [fail(error.message, error.advice)];
  }
}

/** What the roles of deploy/elasticsearch are for. `maintenance` is for refreshing: what is told is there to be searched. */
const privileges = {
  'write evidence': [
    'create_index',
    'index',
    'delete',
    'read',
    'view_index_metadata',
    'maintenance',
    'delete_index',
  ],
  'read evidence': ['read', 'view_index_metadata', 'maintenance'],
} as const;

async function checkRights(client: Client, { elasticsearch: { prefix } }: Config): Promise<Finding[]> {
  try {
    const names = [`${prefix}-*`];
    const { index } = await client.security.hasPrivileges({
      index: [{ names, privileges: [...privileges['write evidence']] }],
    });
    const granted = Object.values(index)[0] ?? {};
    const may = Object.entries(privileges).flatMap(([what, needs]) =>
      needs.every((one) => granted[one] === true) ? [what] : [],
    );
    return [
      may.length > 0
        ? ok(`this user may ${may.join(' and ')}`)
        : warn(
            `this user may neither write nor read ${prefix}-*`,
            'Well if it is there to put templates only; else give it a role of deploy/elasticsearch.',
          ),
    ];
  } catch (error) {
    // Not known to a cluster whose security is off.
    if (![400, 404, 405].includes(statusOf(error) ?? 0)) throw error;
    return [ok('the security of Elasticsearch is off: everybody who reaches it may do everything')];
  }
}

async function checkHealth(client: Client, { elasticsearch: { prefix } }: Config): Promise<Finding[]> {
  const { status, unassigned_shards: unassigned } = await client.cluster.health({
    index: `${prefix}-*`,
    expand_wildcards: 'open',
  });
  if (status === 'red')
    return [
      fail(
        `${unassigned} shards of the evidence are not there`,
        'GET _cluster/allocation/explain says why; bring the node back, or restore a snapshot.',
      ),
    ];
  return status === 'yellow'
    ? [
        warn(
          `${unassigned} copies of shards have no node: one disk alone has that evidence`,
          'Add a node; with one node only set SEALWATCH_ELASTICSEARCH_REPLICAS=0 before `doctor --fix`.',
        ),
      ]
    : [ok('all shards of the evidence are there')];
}

/** Elasticsearch makes no new shards on a node above 85 %, and none of its indices writable above 95 % (its defaults). */
const DISK_PERCENT = 85;

async function checkNodes(client: Client): Promise<Finding[]> {
  const askedMs = Date.now();
  const { nodes } = await client.nodes.stats({
    metric: 'fs',
    filter_path: ['nodes.*.name', 'nodes.*.timestamp', 'nodes.*.fs.total'],
  });
  const answeredMs = Date.now();
  const all = Object.values(nodes);
  const full = all.flatMap(({ name, fs }) => {
    const { total_in_bytes: total = 0, available_in_bytes: free = 0 } = fs?.total ?? {};
    const used = total > 0 ? Math.round(100 * (1 - free / total)) : 0;
    return used >= DISK_PERCENT ? [`${name} (${used} %)`] : [];
  });
  const differences = all.map(({ timestamp = askedMs }) => (timestamp - (askedMs + answeredMs) / 2) / 1000);
  const worst = differences.reduce((most, one) => (Math.abs(one) > Math.abs(most) ? one : most), 0);
  return [
    full.length > 0
      ? warn(
          `little room on ${full.join(', ')}: above 95 % Elasticsearch refuses to write, and evidence waits on the stream`,
          'Make room, add a node, or lower SEALWATCH_RETENTION_EVENT_DAYS.',
        )
      : ok('there is room on the disks of Elasticsearch'),
    checkClock(worst, 'Elasticsearch'),
  ];
}
