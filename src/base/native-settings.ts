import type { Environment } from './settings.js';

/** What the native tools are set up with. */
export type NativeSettings = Readonly<Record<string, string>>;

export function readNativeSettings(_: Environment): NativeSettings {
  return {};
}
