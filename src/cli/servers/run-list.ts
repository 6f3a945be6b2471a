import type { GlobalFlags } from '../global-flags.js';
import type { Output } from '../output.js';
import { settingOf, withRuntime } from '../with-runtime.js';

export async function runList(flags: GlobalFlags, output: Output): Promise<void> {
  const setting = settingOf(flags);
  const servers = await withRuntime(setting, (runtime) => runtime.downstream.servers());
  const rows = servers.map(({ server, runs, tools, listedAt, backups, instances }) => ({
    server,
    runs,
    instances: instances.length,
    backups,
    tools: tools ?? null,
    listed_at: listedAt === undefined ? null : new Date(listedAt).toISOString(),
    open_breakers: instances.filter(({ breaker }) => breaker !== 'closed').map(({ id }) => id),
  }));
  if (flags.isJson) {
    output.printJson({ servers: rows, config: setting.config.configPath });
    return;
  }
  if (rows.length === 0) output.print(`${setting.config.configPath} names no servers. Next: servers import FILE`);
  for (const row of rows) {
    const tools = row.tools === null ? 'never asked for its tools' : `${row.tools} tools`;
    const more = [
      `${row.instances} instance${row.instances === 1 ? '' : 's'}`,
      tools,
      ...(row.backups.length > 0 ? [`backups ${row.backups.join(', ')}`] : []),
      ...(row.open_breakers.length > 0 ? [`breaker open: ${row.open_breakers.join(', ')}`] : []),
    ];
    output.quote(`${output.paint('bold', row.server)}  ${row.runs}\n  ${more.join('; ')}`);
  }
}
