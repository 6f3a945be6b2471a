import { z } from 'zod';
import { RuntimeError } from '../base/errors.js';
import { type HeldBaton, promptOf } from '../core/relay/baton-prompt.js';
import { checkOutput } from '../core/relay/output-schema.js';
import { outputText } from '../core/relay/step.js';
import { type StepJobResult, takeBaton } from '../core/relay/step-job.js';
import { type AgentJob, defineAgent, Postponed } from './define-agent.js';
import { judge } from './judge.js';
import { callModel, type ModelCallNeeds } from './model-call.js';

export const relayStepPayload = z.strictObject({
  pipeline_id: z.string(),
  baton_id: z.string(),
  model: z.string().optional(),
  judge_model: z.string().optional(),
});

type Payload = z.output<typeof relayStepPayload>;

/**
 * The agent of a relay's step: one model call does the work, a second one judges it. The transaction that completes the
 * job hands the baton over.
 */
export function createRelayStepAgent(needs: ModelCallNeeds) {
  return defineAgent({
    type: 'relay_step',
    description: 'Works on the step of a relay that has the baton, and has a second model call judge the output.',
    payload: relayStepPayload,
    async execute(job, context): Promise<StepJobResult> {
      const held = await holdBaton(job, needs);
      const { pipeline, step, input } = held;
      const baton = held.baton.document;
      const model = job.payload.model ?? needs.models.resolve(undefined).requested;
      const place = `step ${baton.sequence_position} of ${baton.total_agents}`;

      context.progress(0.05, `${place}: ${baton.agent_id ?? step.agentId} works on it`);
      context.restartOutput();
      const prompt = promptOf({ ...held, reader: 'model' });
      const call = { prompt, model, fallback_models: [], params: { max_tokens: step.maxTokens } };
      const answer = await callModel(call, job, context, needs);
      const checked = await checkOutput(step.outputSchema, answer.text);
      if ('problem' in checked) {
        context.log('warn', 'the output breaks its schema', { reason: checked.problem });
        return { output: answer.text, quality_score: 0, l_score: 0, problem: checked.problem };
      }

      const judgeModel = job.payload.judge_model ?? model;
      context.progress(0.6, `${place}: ${judgeModel} judges it`);
      const output = checked.output ?? answer.text;
      const isCutOff = answer.stopReason === 'max_tokens';
      const judgement = { model: judgeModel, goal: pipeline.goal, baton, input, output: outputText(output), isCutOff };
      return { output, ...(await judge(judgement, job, context, needs)) };
    },
  });
}

/** Throws `Postponed` while no breaker lets an agent work on the step, `circuit_open` when one was tripped by hand. */
async function holdBaton({ id, payload }: AgentJob<Payload>, { db, clock }: ModelCallNeeds): Promise<HeldBaton> {
  const taken = await db.transaction((sql) => takeBaton(sql, payload.baton_id, id, { at: clock.now(), clock }));
  if ('held' in taken) return taken.held;
  if (taken.retryAfterMs !== undefined) throw new Postponed(taken.refusal, taken.retryAfterMs, taken.refusedBy);
  throw new RuntimeError('circuit_open', taken.refusal, 'Call circuit_breaker_reset, then run_relay.');
}
