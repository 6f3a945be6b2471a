import { RuntimeError } from '../../../base/errors.js';
import type { NativeSettings } from '../../../base/native-settings.js';
import { brave } from './brave.js';
import type { SearchBackend } from './define-backend.js';
import { searxng } from './searxng.js';
import { tavily } from './tavily.js';

/** In the order in which they are chosen; adding one is a file and a line here. */
export const searchBackends: readonly SearchBackend[] = [searxng, brave, tavily];

/** The one that the user names, else the first that is set up. Throws `not_configured`, saying what would set one up. */
export function chooseBackend(settings: NativeSettings): SearchBackend {
  const { searchBackend: wanted } = settings;
  const chosen = searchBackends.find((backend) =>
    wanted === undefined ? backend.isConfigured(settings) : backend.id === wanted,
  );
  if (chosen?.isConfigured(settings)) return chosen;
  if (chosen) {
    throw new RuntimeError(
      'not_configured',
      `AGENT_RUNTIME_SEARCH_BACKEND is ${chosen.id}, but ${chosen.setting} is not set.`,
      chosen.advice,
    );
  }
  throw new RuntimeError(
    'not_configured',
    'No back end for web search is set up.',
    `Set one of these for the server, then restart the client:\n${searchBackends.map(({ advice }) => `- ${advice}`).join('\n')}`,
  );
}
