/** What a word of state means to someone who skims. */
const tones: Readonly<Record<string, string>> = {
  running: 'active',
  in_progress: 'active',
  starting: 'active',
  half_open: 'warn',
  completed: 'good',
  closed: 'good',
  up: 'good',
  ready: 'good',
  passed: 'good',
  failed: 'bad',
  open: 'bad',
  down: 'bad',
  lost: 'bad',
  given_up: 'bad',
};

/** A state as a word beside a dot of its colour. */
export function Status({ word }: { word: string }) {
  return <span class={`status ${tones[word.toLowerCase()] ?? 'calm'}`}>{word.toLowerCase().replaceAll('_', ' ')}</span>;
}
