import { type Child, startChild } from '../support/child.js';
import { eventually } from '../support/eventually.js';
import { mainEntry } from '../support/paths.js';

export interface HttpProcess extends Child {
  url: string;
  ownerUrl: string;
  pid: number;
}

/** The built program serving HTTP in a process of its own. */
export async function startHttpProcess(
  home: string,
  args: readonly string[] = ['serve', '--http', '--port', '0'],
  env: Record<string, string> = {},
): Promise<HttpProcess> {
  const child = startChild(mainEntry, [...args, '--json'], { HOME: home, ...env });
  let text = '';
  child.process.stdout?.on('data', (data: Buffer) => {
    text += data.toString();
  });
  const said = await eventually('the server says where it is', () => {
    try {
      return JSON.parse(text) as { url: string; owner_url: string };
    } catch {
      return undefined;
    }
  });
  return { ...child, url: said.url, ownerUrl: said.owner_url, pid: child.process.pid ?? 0 };
}
