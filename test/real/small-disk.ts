// A disk of a few megabytes that a test can fill: a tmpfs of its own. Needs root.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class SmallDisk implements Disposable {
  readonly path: string;

  constructor(mebibytes: number) {
    if (process.getuid?.() !== 0)
      throw new Error('these tests mount a small disk: run them as root (sudo -E npm run test:real)');
    this.path = mkdtempSync(join(tmpdir(), 'sw-disk-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', this.path]);
  }

  /** Takes all the room that is left, while whoever calls goes on with other work. */
  async fill(): Promise<void> {
    await using file = await open(this.filler, 'w');
    for (let bytes = 1_048_576; bytes > 0; ) {
      const room = await file.write(Buffer.alloc(bytes)).catch(() => undefined);
      // Full for this many bytes: a smaller piece may still find room.
      if (room?.bytesWritten !== bytes) bytes = Math.floor(bytes / 2);
    }
  }

  async makeRoom(): Promise<void> {
    await rm(this.filler);
  }

  private get filler(): string {
    return join(this.path, 'filler');
  }

  remount(how: 'ro' | 'rw'): void {
    execFileSync('mount', ['-o', `remount,${how}`, this.path]);
  }

  [Symbol.dispose](): void {
    execFileSync('umount', ['-l', this.path]);
    rmSync(this.path, { recursive: true, force: true });
  }
}
