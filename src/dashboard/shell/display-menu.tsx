import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Link } from '../location.js';
import { notify } from '../ui/notices.js';
import { canNotify } from './notifications.js';
import { type Preference, setPreference, usePreference } from './preferences.js';

/** How this browser shows the page: its theme, the zone of its times, and whether it notifies. */
export function DisplayMenu() {
  const element = useRef<HTMLDetailsElement>(null);
  useLayoutEffect(() => {
    const { current } = element;
    const close = () => current?.removeAttribute('open');
    const onPointer = ({ target }: PointerEvent) => {
      if (target instanceof Node && !current?.contains(target)) close();
    };
    const onKey = ({ key }: KeyboardEvent) => {
      if (key !== 'Escape' || !current?.open) return;
      close();
      current.querySelector('summary')?.focus();
    };
    addEventListener('pointerdown', onPointer);
    addEventListener('keydown', onKey);
    return () => {
      removeEventListener('pointerdown', onPointer);
      removeEventListener('keydown', onKey);
    };
  }, []);
  return (
    <details ref={element} class="display-menu">
      <summary>Display</summary>
      <div class="menu-panel">
        <Choose
          name="theme"
          title="Theme"
          choices={[
            ['', 'System'],
            ['light', 'Light'],
            ['dark', 'Dark'],
          ]}
        />
        <Choose
          name="zone"
          title="Times"
          choices={[
            ['', 'Local'],
            ['UTC', 'UTC'],
          ]}
        />
        <NotificationSwitch />
        <Link to="/now?kiosk">Show on a wall screen</Link>
      </div>
    </details>
  );
}

interface ChooseProps {
  name: Preference;
  title: string;
  choices: readonly (readonly [value: string, words: string])[];
}

function Choose({ name, title, choices }: ChooseProps) {
  const value = usePreference(name);
  return (
    <fieldset class="switch">
      <legend>{title}</legend>
      {choices.map(([choice, words]) => (
        <button key={choice} type="button" aria-pressed={choice === value} onClick={() => setPreference(name, choice)}>
          {words}
        </button>
      ))}
    </fieldset>
  );
}

/** Off at first; the browser asks for its permission when it is switched on, and not before. */
function NotificationSwitch() {
  const isOn = usePreference('notifications') === 'on';
  const [isAsking, setAsking] = useState(false);
  if (!canNotify()) return null;
  const change = async (wanted: boolean) => {
    if (!wanted) {
      setPreference('notifications', '');
      return;
    }
    setAsking(true);
    const permission = await Notification.requestPermission();
    setAsking(false);
    if (permission === 'granted') setPreference('notifications', 'on');
    else
      notify('The browser does not let this page show notifications. Allow them in its settings for this site.', true);
  };
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={isOn && Notification.permission === 'granted'}
        disabled={isAsking}
        onChange={(event) => void change(event.currentTarget.checked)}
      />
      Notify me of what needs me
    </label>
  );
}
