import { join } from 'node:path';
import { systemClock } from '../../base/clock.js';
import { cut } from '../../base/text.js';
import type { Actor } from '../../core/actor.js';
import type { Overview } from '../../core/overview/overview.js';
import { databaseClock } from '../../store/database-clock.js';
import type { CommandContext } from '../define-command.js';
import { oneLine } from '../table.js';
import { hasDatabase, type Setting } from '../with-runtime.js';
import { answerHook } from './hook-input.js';

/**
 * Prints what the conversation holds and what has come back for it; nothing if there is nothing. Claude Code puts it into
 * the context at a start, a resumption and after a compaction.
 */
export function runSessionStart(_: unknown, context: CommandContext): Promise<void> {
  return answerHook(context, async ({ setting, actor }) => {
    if (!hasDatabase(setting.config)) return;
    const text = describe(await look(setting, actor));
    if (text !== undefined) context.output.print(text);
  });
}

/** Every session waits for this, so it opens the database alone: to build all of the runtime takes twice as long. */
async function look({ config, log }: Setting, actor: Actor): Promise<Overview> {
  const clock = systemClock(config.hostId);
  const [{ openDatabase }, { readOverview }] = await Promise.all([
    import('../../store/open.js'),
    import('../../core/overview/overview.js'),
  ]);
  const db = await openDatabase({
    file: config.dbPath,
    url: config.dbUrl,
    backupDir: join(config.dataDir, 'backups'),
    log,
    now: clock.now,
  });
  try {
    return await readOverview({ db, clock: databaseClock(db, clock) }, actor);
  } finally {
    db.close();
  }
}

/** A few lines for the model; undefined if the conversation holds nothing and nothing is unread. */
export function describe({
  ownClaims,
  ownSlots,
  ownPaths,
  ownJobs,
  unread,
  unreadMessages,
}: Overview): string | undefined {
  const lines = [
    ...ownClaims.map(
      ({ id, title, claimToken }) =>
        `- You hold task ${id} "${short(title)}" with claim_token ${claimToken}. get_task has its notes; end it with update_task_status.`,
    ),
    ...ownSlots.map(({ slot, workerId }) => `- You hold worker slot ${slot} as ${short(workerId)}.`),
    ...(ownPaths.length === 0
      ? []
      : [`- You have reserved ${short(ownPaths.join(', '))}; release_paths gives them back.`]),
    ...ownJobs.map(({ id, type, status }) => `- Your ${type} ${id} is ${status}; wait_for_tasks waits for it.`),
    ...unread.map(({ id, type, status }) => `- Unread: ${type} ${id} has ${status}; read it with get_task_result.`),
    ...messageLines(unreadMessages),
  ];
  if (lines.length === 0) return undefined;
  return ['Agent Runtime, from before:', ...lines, 'runtime_status has the rest.'].join('\n');
}

/** The subjects are quoted, as others have written them. */
function messageLines({ count, first }: Overview['unreadMessages']): string[] {
  if (count === 0) return [];
  const subjects = first.map(({ from, subject }) => `${short(from)}: ${JSON.stringify(short(subject))}`).join(', ');
  return [
    `- ${count} unread message${count === 1 ? '' : 's'} (${subjects}${count > first.length ? ', ...' : ''}); get_messages has them.`,
  ];
}

const short = (text: string): string => cut(oneLine(text), 60);
