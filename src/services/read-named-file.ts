import { AgentError } from '../agents/define-agent.js';
import { readRegularFile } from '../agents/regular-file.js';
import { RuntimeError } from '../base/errors.js';
import { systemCode } from '../base/network-error.js';

export interface NamedFileRules {
  maxBytes: number;
  /** What to give instead of a file that cannot be read. */
  hint: string;
  /** The error for a file that is no regular one, or too large. */
  asInvalid(cause: AgentError): RuntimeError;
}

/** The bytes of a file that a person has named for an import. Throws `not_found` and `invalid`. */
export async function readNamedFile(file: string, { maxBytes, hint, asInvalid }: NamedFileRules): Promise<Buffer> {
  try {
    return await readRegularFile(file, maxBytes);
  } catch (cause) {
    if (cause instanceof AgentError) throw asInvalid(cause);
    const isMissing = systemCode(cause) === 'ENOENT';
    throw new RuntimeError(
      isMissing ? 'not_found' : 'invalid',
      isMissing ? `There is no file ${file}.` : `Cannot read ${file}: ${String(cause)}.`,
      hint,
      { cause },
    );
  }
}
