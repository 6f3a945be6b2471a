import { CallFailed, write } from '../../api.js';

/** Calls a tool of relays. Its errors count steps from 0, as programs do; here they count from 1. */
export async function writeRelay<Result>(tool: string, args: Record<string, unknown>): Promise<Result> {
  try {
    return await write<Result>(tool, args);
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error;
    throw new CallFailed(error.code, countedFromOne(error.message), error.hint, error.fields);
  }
}

export const countedFromOne = (text: string): string =>
  text.replace(/\b(step) (\d+)\b/gi, (_, word: string, index: string) => `${word} ${Number(index) + 1}`);
