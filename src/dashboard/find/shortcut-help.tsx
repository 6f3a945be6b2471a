import { setPreference, usePreference } from '../shell/preferences.js';
import { Dialog } from '../ui/dialog.js';
import { views } from '../views/index.js';
import { letters } from './keys.js';

const keys: readonly (readonly [keys: string, words: string])[] = [
  ['Ctrl K or ⌘ K', 'Find a view, a task, a job, an action'],
  ['/', 'Search in this view'],
  ['c', 'Create what this view shows'],
  ['j, k', 'Next, previous in the list'],
  ['Enter', 'Open it'],
  ['?', 'This help'],
];

/** The keys of the page, and the switch for those without Ctrl. */
export function ShortcutHelp({ onClose }: { onClose(): void }) {
  const isOff = usePreference('shortcuts') === 'off';
  const titles = new Map(views.map(({ name, title }) => [name, title]));
  const leading = Object.entries(letters).map(([letter, view]) => [`g ${letter}`, titles.get(view) ?? view] as const);
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose}>
      <dl class="shortcuts">
        {[...keys, ...leading].map(([key, words]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{words}</dd>
          </div>
        ))}
      </dl>
      <label class="check">
        <input
          type="checkbox"
          checked={!isOff}
          onChange={({ currentTarget }) => setPreference('shortcuts', currentTarget.checked ? '' : 'off')}
        />
        Shortcuts of a single key
      </label>
      <div class="actions">
        <form method="dialog">
          <button type="submit">Close</button>
        </form>
      </div>
    </Dialog>
  );
}
