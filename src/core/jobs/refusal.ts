import { isObject } from '../../base/json.js';

/** A model of a run begins its answer with this when it cannot do its task; its prompt says so. */
export const refusalMark = 'CANNOT:';

/**
 * Why a model's answer is not the result of a task: it is empty, it gives up, or it is the runtime's own record of a call.
 * Undefined for an answer. Only the beginning decides: a result may well speak of what cannot be done.
 */
export function whyNoResult(answer: string): string | undefined {
  // Markdown around the first word, as in `**CANNOT:** ...` or `# CANNOT`.
  const text = answer.replace(/^[\s*_#>`~"'\u2018\u201c-]+/, '').replaceAll('\u2019', "'");
  if (answer.trim() === '') return 'The model gave an empty answer.';
  if (isCallRecord(answer)) return "The answer is the runtime's own record of a model call, not a result.";
  const isRefusal = refusals.some((refusal) => refusal.test(text));
  return isRefusal ? `The model could not do it: ${withoutMark(text).slice(0, 1_000)}` : undefined;
}

const apology = String.raw`(?:(?:(?:i'm|i am) (?:very )?|we're |we are )?sorry[,.:;!]?\s+(?:but\s+)?|unfortunately,?\s+)?`;

/** Verbs of a model that gives up, so that "I cannot praise it enough" remains an answer. */
const verbs =
  'do|complete|help|assist|perform|access|provide|fulfil|fulfill|finish|comply|carry out|continue|open|read|find|see|browse|' +
  'answer|create|generate|write|execute|run|proceed|work on|determine|verify|accomplish|locate|retrieve|make|produce|accept';

const refusals = [
  /^CANNOT\b/,
  /^cannot\W*:/i,
  /^cannot (?:do|be done|complete|comply|proceed|continue|help|fulfil)\b/i,
  new RegExp(
    String.raw`^(?:failed\W*:\W*)?${apology}(?:(?:i'm|i am|we're|we are) (?:unable|not able) to\b|unable to (?:${verbs})\b)`,
    'i',
  ),
  new RegExp(
    String.raw`^(?:failed\W*:\W*)?${apology}(?:i|we) (?:cannot|can't|can not|could not|couldn't) (?:${verbs})\b`,
    'i',
  ),
  /^failed\W*:\W*(?:(?:i|we) )?(?:cannot|can't|could not|couldn't|unable)\b/i,
];

const withoutMark = (text: string): string => text.replace(/^cannot[\s*_`:]*/i, '').trim();

/** `{"model": ..., "stop_reason": ...}` is what the runtime keeps of a call; a task before it may have handed it on. */
function isCallRecord(answer: string): boolean {
  if (!answer.includes('"stop_reason"')) return false;
  try {
    const value: unknown = JSON.parse(answer);
    return isObject(value) && Object.keys(value).sort().join() === 'model,stop_reason';
  } catch {
    return false;
  }
}
