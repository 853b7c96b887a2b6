// The open connections of one listener: bounded together and for each peer, so that nobody can shut out a Vault.
//
// A Vault that has sent whole lines is never closed. Who has not finished a line makes room when the listener is full, the
// longest silent first (docs/decisions/0008).

import type { Socket } from 'node:net';
import { limits } from '../../core/limits.ts';
import { THIS_HOST } from './partial.ts';

/** One open connection. */
export interface Place {
  readonly peer: string;
  /** Address of the other side; absent for a Unix socket. */
  readonly address: string | undefined;
  /** It said something. */
  heard(): void;
  /** It finished a line, or showed a token: from now on it stays until it leaves by itself. */
  proven(): void;
}

interface Entry extends Place {
  readonly socket: Socket;
  readonly port: number | undefined;
}

export class Connections {
  private readonly open = new Set<Entry>();
  private readonly perPeer = new Map<string, number>();
  /** Those that never finished a line, the longest silent first. */
  private readonly unproven = new Set<Entry>();
  private readonly refused: () => void;
  private readonly max: number;
  private readonly perPeerMax: number;

  /** `refused` counts a connection that was closed because there was no room. */
  constructor(
    refused: () => void,
    max: number = limits.connectionsMax,
    perPeerMax: number = limits.connectionsPerPeerMax,
  ) {
    this.refused = refused;
    this.max = max;
    this.perPeerMax = perPeerMax;
  }

  get size(): number {
    return this.open.size;
  }

  /** A place for `socket`, if need be that of another; undefined, and `socket` is closed, when there is none. */
  admit(socket: Socket, peer = THIS_HOST): Place | undefined {
    const max = peer === THIS_HOST ? this.max : this.perPeerMax;
    const hasRoom =
      ((this.perPeer.get(peer) ?? 0) < max || this.makeRoom(peer)) &&
      (this.open.size < this.max || this.makeRoom());
    if (hasRoom) return this.add(socket, peer);
    this.refused();
    socket.destroy();
    return undefined;
  }

  /** The place of a connection that a TLS server wrapped in a socket of its own. */
  placeOf({ remoteAddress, remotePort }: Socket): Place | undefined {
    if (remoteAddress === undefined) return undefined;
    for (const entry of this.open) {
      if (entry.port === remotePort && entry.address === remoteAddress) return entry;
    }
    return undefined;
  }

  closeAll(): void {
    for (const { socket } of this.open) socket.destroy();
  }

  private add(socket: Socket, peer: string): Place {
    const entry: Entry = {
      peer,
      socket,
      address: socket.remoteAddress,
      port: socket.remotePort,
      heard: () => {
        if (this.unproven.delete(entry)) this.unproven.add(entry);
      },
      proven: () => this.unproven.delete(entry),
    };
    this.open.add(entry);
    this.unproven.add(entry);
    this.perPeer.set(peer, (this.perPeer.get(peer) ?? 0) + 1);
    socket.once('close', () => this.remove(entry));
    return entry;
  }

  /** Closes the one that has been silent longest and never finished a line, of `peer` or of all. */
  private makeRoom(peer?: string): boolean {
    for (const entry of this.unproven) {
      if (peer !== undefined && entry.peer !== peer) continue;
      this.remove(entry);
      this.refused();
      entry.socket.destroy();
      return true;
    }
    return false;
  }

  private remove(entry: Entry): void {
    if (!this.open.delete(entry)) return;
    this.unproven.delete(entry);
    const left = (this.perPeer.get(entry.peer) ?? 0) - 1;
    if (left > 0) this.perPeer.set(entry.peer, left);
    else this.perPeer.delete(entry.peer);
  }
}
