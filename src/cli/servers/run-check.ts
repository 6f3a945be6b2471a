import { messageOf, RuntimeError } from '../../base/errors.js';
import type { GlobalFlags } from '../global-flags.js';
import type { Output } from '../output.js';
import { settingOf, withRuntime } from '../with-runtime.js';

interface Finding {
  server: string;
  status: 'ok' | 'fail';
  tools?: number;
  problem?: string;
  ms: number;
}

/** The first start of a server may have to download it. */
const startMs = 45_000;

export async function runCheck(server: string | undefined, flags: GlobalFlags, output: Output): Promise<void> {
  const setting = settingOf(flags);
  const names = server === undefined ? Object.keys(setting.config.mcpServers) : [server];
  if (names.length === 0) {
    throw new RuntimeError(
      'not_configured',
      `${setting.config.configPath} names no servers.`,
      'Take over those of another client: servers import FILE',
    );
  }
  const findings = await withRuntime(setting, async ({ downstream }) => {
    const found: Finding[] = [];
    for (const name of names) found.push(await checkOne(name, (each) => downstream.check(each, startMs)));
    return found;
  });
  if (flags.isJson) output.printJson({ servers: findings });
  else {
    for (const { server: name, status, tools, problem, ms } of findings) {
      const mark = status === 'ok' ? output.paint('green', 'ok  ') : output.paint('red', 'FAIL');
      output.quote(`${mark} ${name}  ${status === 'ok' ? `${tools} tools` : problem} (${ms} ms)`);
    }
  }
  if (findings.some(({ status }) => status === 'fail')) process.exitCode = 1;
}

async function checkOne(server: string, check: (server: string) => Promise<number>): Promise<Finding> {
  const startedAt = performance.now();
  const ms = () => Math.round(performance.now() - startedAt);
  try {
    const tools = await check(server);
    return { server, status: 'ok', tools, ms: ms() };
  } catch (error) {
    if (error instanceof RuntimeError) throw error;
    return { server, status: 'fail', problem: messageOf(error), ms: ms() };
  }
}
