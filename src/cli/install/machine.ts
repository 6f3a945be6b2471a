import type { Config } from '../../base/config.js';
import { findClaudeCode } from '../../llm/index.js';
import { isPresent, type Place } from './client-app.js';
import { type ClientId, clientIds, clientOf } from './clients.js';

/** This machine, as far as clients are concerned. */
export interface Machine {
  place: Place;
  /** The user's `claude`, if it is on the PATH. */
  claude: string | undefined;
}

export function machineOf(config: Config, platform = process.platform): Machine {
  const { home, env, project } = config;
  return { place: { platform, home, env, project: project || process.cwd() }, claude: findClaudeCode(config) };
}

/** The clients that have run here. */
export function clientsHere({ place, claude }: Machine): ClientId[] {
  return clientIds.filter((id) => isPresent(clientOf(id), place) || (id === 'claude-code' && claude !== undefined));
}
