/** What a word of state means to someone who skims. */
const tones: Readonly<Record<string, string>> = {
  running: 'active',
  in_progress: 'active',
  starting: 'active',
  half_open: 'active',
  completed: 'good',
  closed: 'good',
  up: 'good',
  ready: 'good',
  native: 'good',
  failed: 'bad',
  open: 'bad',
  down: 'bad',
  dead: 'bad',
  lost: 'bad',
  error: 'bad',
  degraded: 'warn',
  unread: 'warn',
  retrying: 'warn',
};

/** A state as a word with a colour; the colour alone never says anything. */
export function Status({ word }: { word: string }) {
  const tone = tones[word.toLowerCase()] ?? 'calm';
  return <span class={`status ${tone}`}>{word.toLowerCase().replaceAll('_', ' ')}</span>;
}
