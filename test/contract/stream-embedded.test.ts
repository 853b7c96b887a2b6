// The embedded stream against the contract.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { topics } from '../../core/records.ts';
import { EmbeddedStream } from '../../storage/stream/embedded/stream.ts';
import { streamContract } from './stream.ts';

streamContract('embedded', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'sealwatch-stream-'));
  return {
    open: (partitions) => EmbeddedStream.open({ dir, partitions, writes: Object.values(topics) }),
    otherPartitions: 'DATA_DIR_OTHER_LAYOUT',
    openFollower: (partitions) => EmbeddedStream.open({ dir, partitions, writes: [] }),
    remove: () => rm(dir, { recursive: true }),
  };
});
