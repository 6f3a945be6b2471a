import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import { messageOf } from '../../base/errors.js';
import { newShortId } from '../../base/ids.js';
import { createLineReader, type ReadLine } from '../../base/line-reader.js';
import type { Log } from '../../base/log.js';
import { systemCode } from '../../base/network-error.js';
import { longestLineBytes } from '../connection/keeper-transport.js';
import {
  firstWord,
  type KeeperView,
  type KeeperWord,
  lineOf,
  type Opening,
  wordOf,
} from '../connection/keeper-wire.js';
import { toolServerMark } from '../connection/launch.js';
import { createWatchdog } from '../connection/watchdog.js';
import type { ServerProcesses } from '../processes.js';
import { type Guest, SharedServer } from './shared-server.js';

export interface KeeperNeeds {
  socket: string;
  processes: ServerProcesses;
  log: Log;
}

/** An instance, in the keeping of all sessions whose opening has its key. */
interface Kept {
  instance: string;
  server: SharedServer;
  started: Promise<void>;
  lingering: NodeJS.Timeout | undefined;
}

/** Ends so long after the last session and the last process, in case that one is just coming. */
const idleMs = 1_000;
/** A keeper that nobody comes to ends, too. */
const firstGuestMs = 30_000;
/** A session that reads nothing any more must not fill the memory. */
const mostUnreadBytes = 64 * 1024 * 1024;

/** Keeps the processes of shared servers for the sessions that connect to its socket. */
export class Keeper {
  readonly #needs: KeeperNeeds;
  readonly #watchdog = createWatchdog();
  readonly #listener: Server;
  readonly #kept = new Map<string, Kept>();
  readonly #sockets = new Set<Socket>();
  #resting: NodeJS.Timeout | undefined;
  #endNow = () => {};
  /** Resolves when nobody is left, or after `close`. */
  readonly done = new Promise<void>((resolve) => {
    this.#endNow = resolve;
  });

  constructor(needs: KeeperNeeds) {
    this.#needs = needs;
    this.#listener = createServer((socket) => this.#welcome(socket));
  }

  /** For the one that has the lock alone: what another keeper has left there is removed. */
  async listen(): Promise<void> {
    const { socket } = this.#needs;
    const isFile = process.platform !== 'win32';
    if (isFile) rmSync(socket, { force: true });
    // The socket is bound within the call, so that servers do not get this umask.
    const before = process.umask(0o077);
    const listening = new Promise<void>((resolve, reject) => {
      this.#listener.once('error', reject);
      this.#listener.listen(socket, resolve);
    });
    process.umask(before);
    await listening;
    if (isFile) chmodSync(socket, 0o600);
    this.#rest(firstGuestMs);
  }

  /** Ends every process at once; synchronous, so that it can be the last thing a process does. */
  close(): void {
    clearTimeout(this.#resting);
    this.#listener.close();
    for (const socket of this.#sockets) socket.destroy();
    this.#watchdog.close();
    this.#endNow();
  }

  #welcome(socket: Socket): void {
    this.#sockets.add(socket);
    clearTimeout(this.#resting);
    let hear = (line: ReadLine) => {
      hear = this.#meet(socket, line);
    };
    socket.on(
      'data',
      createLineReader(longestLineBytes, (line) => hear(line)),
    );
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.#rest(idleMs);
    });
  }

  /** Answers the first line of a connection. Returns what hears the others. */
  #meet(socket: Socket, line: ReadLine): (line: ReadLine) => void {
    const { data: word } = firstWord.safeParse(wordOf(line));
    if (!word) socket.destroy();
    else if ('look' in word) say(socket, { here: this.#view() });
    else return this.#open(socket, word.open);
    return () => {};
  }

  #view(): KeeperView {
    const instances = [...this.#kept.values()].map(({ instance, server }) => ({
      id: instance,
      pid: server.pid,
      sessions: server.guests,
    }));
    return { pid: process.pid, instances };
  }

  /** Gives a session its instance. Returns what hears its messages. */
  #open(socket: Socket, opening: Opening): (line: ReadLine) => void {
    const guest: Guest = {
      send: (message) => say(socket, message),
      ended(how) {
        say(socket, { ended: how });
        socket.end();
      },
    };
    let entered: Kept | undefined;
    let isLeaving = false;
    void this.#enter(socket, opening, guest).then((kept) => {
      entered = kept;
    });
    socket.on('close', () => {
      if (entered) this.#leave(entered, guest, isLeaving ? 0 : opening.lingerMs);
    });
    return (line) => {
      const word = wordOf(line);
      if (!word) socket.destroy();
      else if ('leave' in word) isLeaving = true;
      else if ('suspect' in word) entered?.server.doubt();
      else if ('jsonrpc' in word) entered?.server.take(guest, word as unknown as JSONRPCMessage);
    };
  }

  /** Resolves to what the session has joined; undefined if it could not be started, which it has been told. */
  async #enter(socket: Socket, opening: Opening, guest: Guest): Promise<Kept | undefined> {
    const kept = await this.#find(opening);
    clearTimeout(kept.lingering);
    kept.server.join(guest);
    try {
      await kept.started;
    } catch (error) {
      say(socket, { failed: { code: systemCode(error), message: messageOf(error) } });
      socket.end();
      return undefined;
    }
    // It has not waited for the answer.
    if (socket.destroyed) this.#leave(kept, guest, opening.lingerMs);
    say(socket, { opened: { pid: kept.server.pid, keeper: process.pid } });
    return kept;
  }

  /** The process of this key, started if there is none that works. */
  async #find(opening: Opening): Promise<Kept> {
    for (let known = this.#kept.get(opening.key); known; ) {
      if (await known.server.isWell()) return known;
      const next = this.#kept.get(opening.key);
      // Another session may have been here first.
      if (next === known) break;
      known = next;
    }
    return this.#keep(opening);
  }

  #keep({ key, server: name, instance, launch, checkMs }: Opening): Kept {
    const { processes, log } = this.#needs;
    const id = newShortId();
    const forget = () => {
      clearTimeout(kept.lingering);
      if (this.#kept.get(key) === kept) this.#kept.delete(key);
      processes.ended(id).catch((error: unknown) => log.warn('the end of a tool server is not on record', { error }));
      this.#rest(idleMs);
    };
    const server = new SharedServer({
      launch: { kind: 'stdio', ...launch, cwd: launch.cwd, env: { ...launch.env, [toolServerMark]: id } },
      watchdog: this.#watchdog,
      checkMs,
      onStarted(pid) {
        log.info('started a shared tool server', { instance, child: pid });
        processes.started(id, pid).catch(() => {});
      },
      onEnded: forget,
    });
    const started = processes.announce(id, name).then(() => server.start());
    const kept: Kept = { instance, server, started, lingering: undefined };
    this.#kept.set(key, kept);
    started.catch(forget);
    return kept;
  }

  /** Ends the process after `lingerMs` if nobody has it any more. */
  #leave(kept: Kept, guest: Guest, lingerMs: number): void {
    kept.server.leave(guest);
    if (kept.server.guests > 0) return;
    clearTimeout(kept.lingering);
    kept.lingering = setTimeout(() => void kept.server.close(), lingerMs);
  }

  #rest(ms: number): void {
    clearTimeout(this.#resting);
    if (this.#sockets.size === 0 && this.#kept.size === 0) this.#resting = setTimeout(() => this.close(), ms);
  }
}

function say(socket: Socket, word: KeeperWord | JSONRPCMessage): void {
  if (!socket.writable) return;
  socket.write(lineOf(word));
  if (socket.writableLength > mostUnreadBytes) socket.destroy();
}
