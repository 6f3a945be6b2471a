import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { EpochMs } from './clock.js';
import { makePrivateDirectory } from './private-files.js';

export interface LogFileOptions {
  directory: string;
  /** How many days are kept, today among them; 7 unless given. */
  keepDays?: number | undefined;
  /** Size at which a day's file is continued in the next part; 10 MB unless given. */
  partBytes?: number | undefined;
  /** A line belongs to the day, in UTC, on which it is written. */
  now?: () => EpochMs;
  /** Called once each time that the file becomes unwritable. */
  onFailure?: (error: unknown) => void;
}

/** One file a day, which all processes append to. */
export interface LogFile {
  /** Appends whole lines, each with its line end. Never throws: lines that cannot be written are dropped. */
  write(text: string): void;
  close(): void;
}

const usualDays = 7;
const usualPartBytes = 10_000_000;
/** How many parts of a day are kept, the newest ones. */
const keptParts = 3;
/** Bytes written between two checks whether other processes have filled or deleted the file. */
const bytesBetweenLooks = 64_000;
const retryMs = 60_000;
const dayMs = 86_400_000;

/**
 * Opens nothing before the first line, so that a process that has nothing to say leaves no trace. Every write is one
 * append by the system, so the lines of any number of processes stay whole; and it is synchronous, so that none is lost
 * when the process is killed (measured: 1.5 us a line, 5 us with what comes before it).
 */
export function createLogFile({
  directory,
  keepDays = usualDays,
  partBytes = usualPartBytes,
  now = Date.now,
  onFailure = () => {},
}: LogFileOptions): LogFile {
  let open: { fd: number; from: number; unseenBytes: number } | undefined;
  let retryAt = Number.NEGATIVE_INFINITY;
  let hasSeenParent = existsSync(dirname(directory));

  function close(): void {
    if (open) closeSync(open.fd);
    open = undefined;
  }

  /** The file to write to now. A new one is opened after midnight, when it is full, and when it was deleted. */
  function current(at: number) {
    if (open && at >= open.from && at < open.from + dayMs) {
      if (open.unseenBytes < bytesBetweenLooks) return open;
      open.unseenBytes = 0;
      if (isUsable(open.fd, partBytes)) return open;
    }
    close();
    // A data directory that was moved away is not made again: it would be in the way of whoever moves it back.
    if (hasSeenParent && !existsSync(dirname(directory))) throw new Error(`${dirname(directory)} is gone`);
    makePrivateDirectory(directory);
    hasSeenParent = true;
    const day = dayOf(at);
    removeOld(directory, { day, keepDays });
    open = { fd: openPart(directory, day, partBytes), from: Date.parse(day), unseenBytes: 0 };
    return open;
  }

  return {
    write(text) {
      const at = now();
      if (at < retryAt && at >= retryAt - retryMs) return;
      try {
        const file = current(at);
        file.unseenBytes += writeSync(file.fd, text);
        retryAt = Number.NEGATIVE_INFINITY;
      } catch (error) {
        closeQuietly(close);
        retryAt = at + retryMs;
        onFailure(error);
      }
    },
    close,
  };
}

/** `2026-11-20` */
const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);

/** Part 0 has no number: `agent-runtime-2026-11-20.log`, `agent-runtime-2026-11-20.1.log`, ... */
const namePattern = /^agent-runtime-(\d{4}-\d\d-\d\d)(?:\.(\d{1,6}))?\.log$/;
const nameOf = (day: string, part: number): string => `agent-runtime-${day}${part === 0 ? '' : `.${part}`}.log`;

interface Part {
  day: string;
  part: number;
  path: string;
}

function partsIn(directory: string): Part[] {
  return readdirSync(directory).flatMap((name) => {
    const [, day, part] = namePattern.exec(name) ?? [];
    return day === undefined ? [] : [{ day, part: Number(part ?? 0), path: join(directory, name) }];
  });
}

/**
 * Opens the newest part of the day, or the one after it when that is full. Nothing is ever renamed: two processes that
 * find a part full at the same instant would move each other's new one away.
 */
function openPart(directory: string, day: string, partBytes: number): number {
  const parts = partsIn(directory).filter((found) => found.day === day);
  const newest = Math.max(0, ...parts.map(({ part }) => part));
  const size = statSync(join(directory, nameOf(day, newest)), { throwIfNoEntry: false })?.size ?? 0;
  const part = size < partBytes ? newest : newest + 1;
  for (const old of parts) if (old.part <= part - keptParts) rmSync(old.path, { force: true });
  return openPrivate(join(directory, nameOf(day, part)));
}

/** Refuses a symbolic link in the file's place. */
function openPrivate(path: string): number {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW = 0 } = constants;
  return openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
}

function isUsable(fd: number, partBytes: number): boolean {
  const { size, nlink } = fstatSync(fd);
  return size < partBytes && nlink > 0;
}

function removeOld(directory: string, { day, keepDays }: { day: string; keepDays: number }): void {
  const oldest = dayOf(Date.parse(day) - (keepDays - 1) * dayMs);
  for (const found of partsIn(directory)) if (found.day < oldest) rmSync(found.path, { force: true });
}

function closeQuietly(close: () => void): void {
  try {
    close();
  } catch {
    // The descriptor may be unusable for the same reason as the file.
  }
}
