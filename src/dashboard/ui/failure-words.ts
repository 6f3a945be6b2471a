import { CallFailed } from '../api.js';
import { titleOf } from '../form/schema.js';

/** What a person can do next, where the server's hint is for a program that calls tools. */
const nextSteps: Readonly<Record<string, string>> = {
  invalid: 'Correct it and try again.',
  not_found: 'It may have been deleted, or the address is wrong.',
  conflict: 'It may have changed meanwhile: look at it again.',
  already_claimed: 'Somebody else works on it. Release the claim first, if that worker is gone.',
  stale_claim: 'The claim has ended, and somebody else may work on it now.',
  dependency_cycle: 'Leave out one of these dependencies.',
  budget_exhausted: 'Raise the budget, or let it rest.',
  circuit_open: 'Wait until the breaker is closed, or reset it.',
  rate_limited: 'Try again in a moment.',
  timeout: 'Try again in a moment.',
};

/** Names a tool or an argument, as `get_goal`: of use to a model alone. A command of the shell is not meant. */
const isForPrograms = (text: string): boolean =>
  /\b[a-z]+(_[a-z]+)+\b/.test(text.replace(/`agent-runtime [^`]*`/g, '')) || /^Call /.test(text);

/** Why something failed and what a person can do, from any thrown value. */
export function failureWords(error: unknown): string {
  if (!(error instanceof CallFailed)) return error instanceof Error ? error.message : String(error);
  const { code, fields, hint = '' } = error;
  const message = fields.length > 0 ? fields.map(fieldWords).join(' ') : sentencesForPeople(error.message);
  const next = hint === '' || isForPrograms(hint) || fields.length > 0 ? (nextSteps[code] ?? '') : hint;
  return `${message}${/[.!?…]$/.test(message) ? '' : '.'} ${next}`.trim();
}

function fieldWords({ place, message }: CallFailed['fields'][number]): string {
  return place === '' ? message : `${titleOf(place)}: ${message.charAt(0).toLowerCase()}${message.slice(1)}`;
}

/** The sentences that say what happened, without those that tell a program what to call. */
function sentencesForPeople(message: string): string {
  const sentences = message.split(/(?<=[.!?]) (?=[A-Z])/);
  const kept = sentences.filter((sentence, index) => index === 0 || !isForPrograms(sentence));
  return kept.join(' ');
}
