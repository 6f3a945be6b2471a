import { RuntimeError } from '../../base/errors.js';
import { decideRelayStep } from '../../services/run-relay.js';
import { showAdvanced } from '../../tools/shapes/relay.js';
import type { CommandContext } from '../define-command.js';
import { jobTool } from '../jobs/job-tool.js';
import { commandName } from '../launch.js';
import { type Column, printTable, relativeIso } from '../table.js';
import { withCaller } from '../tool/with-caller.js';
import { readSettingOf, settingOf, withStored } from '../with-runtime.js';

export interface ApproveOptions {
  relay: string | undefined;
  /** 0-based. */
  step: number | undefined;
  isSentBack: boolean;
  feedback: string | undefined;
}

/** Lets a step pass that waits for a person, or sends it back; without a relay, lists the steps that wait. */
export async function runApprove({ relay, step, isSentBack, feedback }: ApproveOptions, context: CommandContext) {
  if (relay === undefined) return listWaiting(context);
  if (feedback !== undefined && !isSentBack) {
    throw new RuntimeError(
      'invalid',
      '--feedback is for a step that is sent back.',
      'Add --send-back, or leave it out.',
    );
  }
  const { flags, output } = context;
  const setting = settingOf(flags);
  // Refused in read-only mode, as what changes a relay is.
  jobTool('advance_relay', setting.config);
  const decided = await withCaller(setting, flags, output, ({ runtime, actor }) =>
    decideRelayStep({ pipelineId: relay, stepIndex: step, isApproved: !isSentBack, feedback }, actor, runtime),
  );
  if (flags.isJson) return output.printJson(showAdvanced(decided));
  switch (decided.kind) {
    case 'completed':
      return output.print('The step has passed, and the relay is completed.');
    case 'failed':
      return output.print(
        decided.retriesLeft > 0
          ? `Step ${decided.stepIndex} is sent back, and is to be done again.`
          : `Step ${decided.stepIndex} is sent back, and has no retries left: the relay has failed.`,
      );
    default:
      return output.print('The step has passed.');
  }
}

async function listWaiting({ flags, output, wantsJson }: CommandContext): Promise<void> {
  const waiting = await withStored(readSettingOf(flags), ({ relays }) => relays.listWaiting());
  const shown = waiting.map(({ askedAt, output: text, ...step }) => ({
    relay: step.pipelineId,
    name: step.name,
    step: step.stepIndex,
    agent: step.agentId,
    asked_at: new Date(askedAt).toISOString(),
    output: text,
  }));
  if (wantsJson) return output.printJson({ waiting: shown });
  if (shown.length === 0) return output.print('No step of a relay waits for a person.');
  printTable(output, columnsAt(Date.now()), shown);
  output.say(`\`${commandName} approve RELAY\` lets one pass; with --send-back --feedback TEXT it is done again.`);
}

interface Shown {
  relay: string;
  name: string;
  step: number;
  agent: string;
  asked_at: string;
  output: string;
}

const columnsAt = (now: number): Column<Shown>[] => [
  { title: 'RELAY', value: ({ relay }) => relay },
  { title: 'NAME', value: ({ name }) => name, isText: true },
  { title: 'STEP', value: ({ step }) => String(step), isNumber: true },
  { title: 'AGENT', value: ({ agent }) => agent },
  { title: 'WAITS SINCE', value: ({ asked_at }) => relativeIso(asked_at, now) },
  { title: 'OUTPUT', value: ({ output }) => output, isText: true },
];
