import type { NativeSettings } from '../../base/native-settings.js';
import { version } from '../../base/version.js';

/** Says who asks and how to reach them: services answer 429 to the defaults of HTTP libraries before anyone else. */
export function userAgent({ contact }: NativeSettings): string {
  const about = ['+https://www.npmjs.com/package/agent-runtime-mcp', ...(contact ? [`mailto:${contact}`] : [])];
  return `agent-runtime/${version} (${about.join('; ')})`;
}
