import { z } from 'zod';
import { version } from '../../base/version.js';
import type { Visitor } from '../guard.js';

/** `/api/whoami`: how the server sees who asks, and its version. */
export const visitorOutput = z.strictObject({
  name: z.string(),
  read_only: z.boolean(),
  version: z.string(),
  /** The session of the browser that asks, if it is one. */
  browser_id: z.string().optional(),
});

export type ShownVisitor = z.infer<typeof visitorOutput>;

export const showVisitor = ({ name, isReadOnly, browserId }: Visitor): ShownVisitor => ({
  name,
  read_only: isReadOnly,
  version,
  browser_id: browserId,
});
