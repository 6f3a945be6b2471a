import { DeadlinePassed, withDeadline } from '../deadline.js';
import { checkInThread, type Found, SchemaUnusable, type SchemaWork } from './thread.js';

/** In a thread, so that the process answers others meanwhile. */
export const deadlineMs = 1_000;

/** Tried here first, as a thread takes longer to start: the usual check takes a few milliseconds. */
const quickMs = 50;

/** Throws DeadlinePassed after a second, and the compiler's Error for a schema that cannot be checked. */
export async function checkInTime(work: SchemaWork): Promise<Found> {
  const { checkBySchema } = await loadCompiler();
  const check = (ms: number) => withDeadline(ms, () => checkBySchema(work.schema, work.candidates));
  try {
    return check(quickMs);
  } catch (error) {
    if (!(error instanceof DeadlinePassed)) throw error;
  }
  try {
    return await checkInThread(work, deadlineMs);
  } catch (error) {
    if (error instanceof DeadlinePassed || error instanceof SchemaUnusable) throw error;
    // The system gives no more threads, or the program is not built: then the others wait for it.
    return check(deadlineMs);
  }
}

/** Ajv is loaded when first needed: few steps have a schema. */
const loadCompiler = () => import('./compile.js');
