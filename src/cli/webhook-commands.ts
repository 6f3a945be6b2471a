import { type CommandSet, defineCommand } from './define-command.js';
import { commandName } from './launch.js';
import { argument, count, flag, list, optionalArgument, text } from './options.js';

const name = argument('the name of the webhook');
const load = () => import('./webhooks/webhooks.js');

/** Events that go out by HTTP. */
export const webhookCommands: CommandSet = {
  name: 'webhooks',
  description: 'Send events to addresses on the web, signed as Standard Webhooks says.',
  commands: [
    defineCommand({
      name: 'list',
      isDefault: true,
      description: 'List webhooks and sinks: what they get, what they have got, and what is wrong.',
      load: async () => (await load()).listWebhooks,
    }),
    defineCommand({
      name: 'add',
      description: 'Add a webhook, which gets events from now on, and print its secret, once.',
      arguments: { name, url: argument('an https address') },
      options: {
        events: list(
          '--events <patterns>',
          'kinds such as task.completed or job.*, with commas between (default: all)',
        ),
        project: text('--project <directory>', 'events of this project alone'),
        goal: count('--goal <id>', 'events of this goal, its tasks and its jobs alone'),
      },
      helpAfter: `
Examples:
  ${commandName} webhooks add ci https://ci.example.com/hook --events task.completed,job.failed
  ${commandName} webhooks add pager https://relay.example.com/pager --events '*.failed,breaker.failure_trip'
`,
      load: async () => (await load()).addWebhook,
    }),
    defineCommand({
      name: 'remove',
      description: 'Remove a webhook, or what is known of a sink, with what waits for it.',
      arguments: { name },
      load: async () => (await load()).removeWebhook,
    }),
    defineCommand({
      name: 'test',
      description: 'Send a message of the type webhook.test now, and print what came back.',
      arguments: { name },
      load: async () => (await load()).testOne,
    }),
    defineCommand({
      name: 'failed',
      description: 'List the messages that were not taken: those that wait for another try, and the dead ones.',
      arguments: { name: optionalArgument('the webhook; without it, all') },
      options: { limit: count('--limit <n>', 'how many, the newest first (default: 50)') },
      load: async () => (await load()).listFailed,
    }),
    defineCommand({
      name: 'resend',
      description: 'Send failed messages again, with the ids that they had: by their numbers, or all of a webhook.',
      arguments: { which: argument('numbers from `webhooks failed`, with commas between, or the name of a webhook') },
      load: async () => (await load()).resendFailed,
    }),
    defineCommand({
      name: 'enable',
      description: 'Send to a disabled webhook again, from where it was.',
      arguments: { name },
      options: { isFromNow: flag('--from-now', 'leave out what has happened meanwhile') },
      load: async () => (await load()).enableWebhook,
    }),
    defineCommand({
      name: 'disable',
      description: 'Send nothing to a webhook until it is enabled.',
      arguments: { name },
      load: async () => (await load()).disableWebhook,
    }),
    defineCommand({
      name: 'rotate',
      description: 'Give a webhook a new secret and print it, once; the old one signs beside it for a day.',
      arguments: { name },
      load: async () => (await load()).rotateSecret,
    }),
  ],
};
