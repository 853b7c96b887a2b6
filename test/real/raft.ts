// Three Vault nodes with integrated storage: enough that one can be killed and the others go on. Each node has a folder of
// its own as working directory, so that one relative `file_path` gives each its own audit file.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from './servers.ts';
import { Vault } from './vault-client.ts';

const run = promisify(execFile);
const serversDir = process.env['SERVERS_DIR'] ?? '/var/tmp/sealwatch-servers';
/** Slow machines elect slowly. */
const PATIENCE_MS = 120_000;

interface Node {
  name: string;
  folder: string;
  address: string;
  vault: Vault;
  process: ChildProcess | undefined;
}

/** Calls `look` until it finds something. */
export async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await look().catch(() => undefined);
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`not in time: ${what}`);
    await sleep(200);
  }
}

export class RaftCluster implements AsyncDisposable {
  readonly folder: string;
  readonly nodes: Node[] = [];
  private binary = '';
  private rootToken = '';
  private unsealKey = '';

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** A cluster of `n1`, `n2` and `n3`, unsealed, without an audit device. */
  static async start(name: string): Promise<RaftCluster> {
    const cluster = new RaftCluster(join(serversDir, `${name}-${process.pid}`));
    rmSync(cluster.folder, { recursive: true, force: true });
    const { stdout } = await run('bash', [resolve('test/real/servers/vault/build.sh')]);
    cluster.binary = stdout.trim().split('\n').at(-1) ?? '';
    try {
      for (const node of ['n1', 'n2', 'n3']) await cluster.add(node);
      await cluster.allVote();
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
    return cluster;
  }

  /** Folder of a node: its audit file lies there when `file_path` is relative. */
  folderOf = (name: string): string => join(this.folder, name);

  private async add(name: string): Promise<void> {
    const folder = this.folderOf(name);
    mkdirSync(join(folder, 'raft'), { recursive: true });
    const [port, clusterPort] = [await freePort(), await freePort()];
    const address = `http://127.0.0.1:${port}`;
    writeFileSync(
      join(folder, 'vault.hcl'),
      `storage "raft" {
  path = "${folder}/raft"
  node_id = "${name}"
  performance_multiplier = 1
}
listener "tcp" {
  address = "127.0.0.1:${port}"
  cluster_address = "127.0.0.1:${clusterPort}"
  tls_disable = true
}
disable_mlock = true
api_addr = "${address}"
cluster_addr = "https://127.0.0.1:${clusterPort}"
`,
    );
    const node: Node = {
      name,
      folder,
      address,
      vault: new Vault(address, this.rootToken),
      process: undefined,
    };
    this.nodes.push(node);
    await this.spawn(node);
    if (this.rootToken === '') await this.initialise(node);
    else {
      const [first] = this.nodes as [Node];
      await node.vault.must('POST', 'sys/storage/raft/join', { body: { leader_api_addr: first.address } });
      await this.unseal(node);
    }
  }

  /** A node that joined may not vote at once, and a vote needs two of three. */
  private async allVote(): Promise<void> {
    const { vault } = await this.active();
    await until('all nodes vote', async () => {
      const { data } = await vault.root('GET', 'sys/storage/raft/configuration');
      const { servers } = data['config'] as { servers: { voter: boolean }[] };
      return servers.filter(({ voter }) => voter).length === this.nodes.length ? true : undefined;
    });
  }

  private async initialise(node: Node): Promise<void> {
    const answer = (await node.vault.must('PUT', 'sys/init', {
      body: { secret_shares: 1, secret_threshold: 1 },
    })) as unknown as { root_token: string; keys_base64: string[] };
    this.rootToken = answer.root_token;
    this.unsealKey = answer.keys_base64[0] ?? '';
    node.vault = new Vault(node.address, this.rootToken);
    await this.unseal(node);
    await until('the first node is active', async () =>
      (await node.vault.call('GET', 'sys/health')).status === 200 ? true : undefined,
    );
  }

  private async spawn(node: Node): Promise<void> {
    const log = openSync(join(node.folder, 'vault.log'), 'a');
    node.process = spawn(this.binary, ['server', '-config', join(node.folder, 'vault.hcl')], {
      cwd: node.folder,
      stdio: ['ignore', log, log],
    });
    await until(`${node.name} listens`, async () =>
      (await node.vault.call('GET', 'sys/seal-status')).status === 200 ? true : undefined,
    );
  }

  /** A node that has just joined takes the key only after it has heard from the leader. */
  private async unseal(node: Node): Promise<void> {
    await until(`${node.name} is unsealed`, async () => {
      const answer = (await node.vault.call('PUT', 'sys/unseal', {
        body: { key: this.unsealKey },
      })) as unknown as { sealed?: boolean };
      return answer.sealed === false ? true : undefined;
    });
    await until(`${node.name} is ready`, async () => {
      const { status } = await node.vault.call('GET', 'sys/health');
      const leader = (await node.vault.call('GET', 'sys/leader')) as unknown as { leader_address?: string };
      return (status === 200 || status === 429) && leader.leader_address ? true : undefined;
    });
  }

  /** The active node, once there is one. */
  active(): Promise<Node> {
    return until('a node is active', async () => {
      for (const node of this.nodes) {
        if (node.process === undefined) continue;
        const answer = await node.vault.call('GET', 'sys/health').catch(() => undefined);
        if (answer?.status === 200) return node;
      }
      return undefined;
    });
  }

  /** Ends a node as a power cut would. */
  async kill(node: Node): Promise<void> {
    const ended = new Promise((done) => node.process?.once('exit', done));
    node.process?.kill('SIGKILL');
    await ended;
    node.process = undefined;
  }

  /** Starts a killed node again; it comes back as a standby. */
  async restart(node: Node): Promise<void> {
    await this.spawn(node);
    await this.unseal(node);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.nodes) if (node.process !== undefined) await this.kill(node);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
