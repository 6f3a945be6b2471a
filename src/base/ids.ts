import { randomBytes, randomUUID } from 'node:crypto';

/** A job's public id, a random UUID. */
export const newUuid = (): string => randomUUID();

/** A short id for rows that people see in lists: 12 hexadecimal characters. */
export const newShortId = (): string => randomBytes(6).toString('hex');

/** An unguessable token (128 bits) that fences the writes of one attempt. */
export const newToken = (): string => randomBytes(16).toString('hex');
