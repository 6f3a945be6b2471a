import { missedPolicies, overlapPolicies, scheduleKinds } from '../core/schedules/schedule.js';
import { type CommandSet, defineCommand } from './define-command.js';
import { commandName } from './launch.js';
import { argument, choice, flag, text } from './options.js';

const name = argument('the name of the schedule');

const actions = {
  pause: 'Pause a schedule: it is not due until it is resumed.',
  resume: 'Resume a schedule with its next time; what was missed meanwhile is not made up for.',
  run: 'Submit what a schedule submits, now; its times stay.',
  delete: 'Delete a schedule; what it has made stays.',
} as const;

/** Work that is submitted at set times. */
export const scheduleCommands: CommandSet = {
  name: 'schedule',
  description: 'Submit prompts, jobs, goals and relays at set times.',
  commands: [
    defineCommand({
      name: 'list',
      isDefault: true,
      description: 'List the schedules with their next times, what came of the last, and what lives to fire them.',
      options: { isAll: flag('--all', 'of every project') },
      load: async () => (await import('./schedule/schedule.js')).listSchedules,
    }),
    defineCommand({
      name: 'add',
      description: 'Make a schedule, or change the one of that name; what is left out stays as it is.',
      arguments: { name },
      options: {
        prompt: text('--prompt <text>', 'a prompt for the default model; short for --kind prompt'),
        kind: choice('--kind <kind>', 'what it submits', scheduleKinds),
        request: text('--request <json|file>', 'what is submitted: a JSON object, or the file that holds it'),
        cron: text('--cron <expression>', 'minute, hour, day of the month, month, day of the week'),
        timezone: text('--timezone <name>', "such as Europe/Berlin (default: this machine's)"),
        at: text('--at <time>', 'instead: once, then; ISO 8601 with a zone'),
        missed: choice('--missed <policy>', 'when nothing lived to fire it: once (default), skip, all', missedPolicies),
        overlap: choice('--overlap <policy>', 'when the last is at work: skip (default), allow', overlapPolicies),
      },
      helpAfter: `
Examples:
  ${commandName} schedule add standup --prompt "Sum up the open tasks of {{date}}" --cron "0 9 * * 1-5" --timezone Europe/Berlin
  ${commandName} schedule add backtest --kind job --request '{"type": "backtest", "payload": {}}' --cron "@daily"
  ${commandName} schedule add review --kind goal --request '{"name": "Review {{date}}", "template": "review"}' --cron "0 8 * * 1"
`,
      load: async () => (await import('./schedule/schedule.js')).addSchedule,
    }),
    ...Object.entries(actions).map(([action, description]) =>
      defineCommand({
        name: action,
        description,
        arguments: { name },
        load: async () => (await import('./schedule/schedule.js')).actOnSchedule(action),
      }),
    ),
  ],
};
