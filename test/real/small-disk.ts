// A disk of a few megabytes that a test can fill: a tmpfs of its own. Needs root.

import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
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

  /** Takes all the room that is left. */
  fill(): void {
    const file = openSync(join(this.path, 'filler'), 'w');
    for (let bytes = 65_536; bytes > 0; ) {
      try {
        if (writeSync(file, Buffer.alloc(bytes)) === bytes) continue;
      } catch {
        // Full for this many bytes: a smaller piece may still find room.
      }
      bytes = Math.floor(bytes / 2);
    }
    closeSync(file);
  }

  makeRoom(): void {
    rmSync(join(this.path, 'filler'));
  }

  remount(how: 'ro' | 'rw'): void {
    execFileSync('mount', ['-o', `remount,${how}`, this.path]);
  }

  [Symbol.dispose](): void {
    execFileSync('umount', ['-l', this.path]);
    rmSync(this.path, { recursive: true, force: true });
  }
}
