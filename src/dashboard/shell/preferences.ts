import { useLayoutEffect, useState } from 'preact/hooks';
import { timeZoneKey } from '../ui/moment.js';

/** What a person sets for this browser, by the key under which the browser keeps it; '' is the default. */
export const preferences = {
  theme: 'theme',
  zone: timeZoneKey,
  notifications: 'notifications',
  shortcuts: 'shortcuts',
} as const;

export type Preference = keyof typeof preferences;

const listeners = new Set<() => void>();

const told = () => {
  applyTheme();
  for (const listener of listeners) listener();
};

export const preference = (name: Preference): string => localStorage.getItem(preferences[name]) ?? '';

export function setPreference(name: Preference, value: string): void {
  if (value === '') localStorage.removeItem(preferences[name]);
  else localStorage.setItem(preferences[name], value);
  told();
}

/** Shows the page in the theme that is set, or that of the system; in all tabs. */
export function followPreferences(): void {
  applyTheme();
  // Other tabs hear of it by this event, which the one that has set it does not get.
  addEventListener('storage', told);
}

function applyTheme(): void {
  const theme = preference('theme');
  if (theme === '') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

export function usePreference(name: Preference): string {
  const [value, setValue] = useState(preference(name));
  useLayoutEffect(() => {
    const listener = () => setValue(preference(name));
    listener();
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, [name]);
  return value;
}
