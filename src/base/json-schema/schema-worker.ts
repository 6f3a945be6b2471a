import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../errors.js';
import { checkBySchema } from './compile.js';
import type { FromThread, SchemaWork } from './thread.js';

/** The entry of the thread: one check, which may take for ever. */
function tell(message: FromThread): void {
  parentPort?.postMessage(message);
}

const { schema, candidates } = workerData as SchemaWork;
// From here on the time counts: a busy machine may take long to start a thread.
tell({ kind: 'ready' });
try {
  tell({ kind: 'checked', found: checkBySchema(schema, candidates) });
} catch (error) {
  tell({ kind: 'unusable', message: messageOf(error) });
}
