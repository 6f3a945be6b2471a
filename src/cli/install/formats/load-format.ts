import type { FormatName } from '../client-app.js';
import type { ConfigFormat } from './config-format.js';

/** Loads only the parser that is needed. */
export async function loadFormat(name: FormatName): Promise<ConfigFormat> {
  switch (name) {
    case 'json':
      return (await import('./json.js')).json;
    case 'toml':
      return (await import('./toml.js')).toml;
    case 'yaml':
      return (await import('./yaml.js')).yaml;
  }
}
