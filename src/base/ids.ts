import { randomBytes, randomUUID } from 'node:crypto';

/** A random UUID, which nobody can guess. */
export const newUuid = (): string => randomUUID();

/**
 * A job's public id: a UUID of version 8 (RFC 9562), whose first 32 bits are the time in microseconds and the others random.
 * Jobs that are submitted one after the other are neighbours in every index by id, so that a transaction on many of them
 * writes a third of the pages; and their first eight characters, by which they are shown, differ as those of random ids do.
 */
export function newJobId(): string {
  const microseconds = Math.floor((performance.timeOrigin + performance.now()) * 1_000) % 2 ** 32;
  const random = randomUUID();
  return `${microseconds.toString(16).padStart(8, '0')}${random.slice(8, 14)}8${random.slice(15)}`;
}

/** A short id for rows that people see in lists: 12 hexadecimal characters. */
export const newShortId = (): string => randomBytes(6).toString('hex');

/** An unguessable token (128 bits) that fences the writes of one attempt. */
export const newToken = (): string => randomBytes(16).toString('hex');
