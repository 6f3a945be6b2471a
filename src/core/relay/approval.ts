import type { EpochMs } from '../../base/clock.js';
import { RuntimeError } from '../../base/errors.js';
import { type Json, readJson } from '../../base/json.js';
import { cut } from '../../base/text.js';
import type { Sql } from '../../store/sql.js';
import type { Actor } from '../actor.js';
import type { TimedChange } from '../change.js';
import { recordEvent } from '../events/events.js';
import { type Baton, isOpenBaton, listOpenBatons } from './baton.js';
import { type Advanced, failStep, passStep } from './end-step.js';
import { findPipeline } from './pipeline.js';
import { findStep, outputText, type ResultRow } from './step.js';

/** What a person says of a step that has passed its gates and waits. */
export interface ApprovalRequest {
  pipelineId: string;
  /** 0-based; may be left out where one step waits alone. */
  stepIndex?: number | undefined;
  isApproved: boolean;
  /** What the next attempt should do differently, for a step that is sent back. */
  feedback?: string | undefined;
}

type ByActor = TimedChange & { actor: Actor };

export interface Decided {
  advanced: Advanced;
  /** What follows from it is done for the session that the baton was handed to: the next one is its own, too. */
  change: ByActor;
}

/**
 * Lets the step pass, or fails its attempt with the feedback as the reason. Throws `not_found`, and `conflict` when no
 * step waits for a person, when that one does not, and when several do and none is named.
 */
export async function decideApproval(sql: Sql, request: ApprovalRequest, byPerson: ByActor): Promise<Decided> {
  const { isApproved, feedback } = request;
  const pipeline = await findPipeline(sql, request.pipelineId);
  const baton = await findWaiting(sql, request);
  const step = await findStep(sql, pipeline.id, baton.stepIndex);
  const result = await findAttempt(sql, baton);
  const open = { pipeline, step, baton };
  const type = isApproved ? 'step_approved' : 'step_sent_back';
  const data = { step: baton.stepIndex, baton_id: baton.id, ...(feedback ? { feedback } : {}) };
  await recordEvent(sql, { ...byPerson, subject: 'relay', subjectId: pipeline.id, type, data });
  const change = { ...byPerson, actor: { ...byPerson.actor, holder: baton.handedTo } };
  if (isApproved) {
    await sql.run('update relay_results set is_current = 1 where id = ?', result.id);
    const { quality_score: qualityScore, l_score: lScore, output_entity_id: entity } = result;
    const passed = { qualityScore, lScore, outputEntityId: entity ?? undefined };
    return { advanced: await passStep(sql, open, passed, change), change };
  }
  const reason = feedback ? `A person sent it back: ${feedback}` : 'A person sent it back.';
  await sql.run("update relay_results set status = 'failed', error_message = ? where id = ?", reason, result.id);
  return { advanced: await failStep(sql, open, { failure: 'rejected', reason }, change), change };
}

/** A step whose output waits for a person. */
export interface WaitingStep {
  pipelineId: string;
  /** Of the relay. */
  name: string;
  stepIndex: number;
  agentId: string;
  askedAt: EpochMs;
  /** Its beginning, in one line. */
  output: string;
}

/** Those of all relays, the longest waiting first. */
export async function listWaiting(sql: Sql): Promise<WaitingStep[]> {
  const rows = await sql.all<
    Pick<ResultRow, 'pipeline_id' | 'step_index' | 'agent_id' | 'output'> & { name: string; asked_at: number }
  >(
    `select b.pipeline_id, b.step_index, b.approval_asked_at as asked_at, p.name, r.agent_id, r.output
     from relay_batons b join relay_pipelines p on p.id = b.pipeline_id
       join relay_results r on r.baton_id = b.id and r.status = 'passed'
     where b.approval_asked_at is not null and b.${isOpenBaton} order by b.approval_asked_at limit 200`,
  );
  return rows.map((row) => ({
    pipelineId: row.pipeline_id,
    name: row.name,
    stepIndex: row.step_index,
    agentId: row.agent_id,
    askedAt: row.asked_at,
    output: cut(outputText(row.output === null ? undefined : readJson<Json>(row.output)).replaceAll(/\s+/g, ' '), 120),
  }));
}

async function findWaiting(sql: Sql, { pipelineId, stepIndex }: ApprovalRequest): Promise<Baton> {
  const waiting = (await listOpenBatons(sql, pipelineId)).filter(({ approvalAskedAt }) => approvalAskedAt !== null);
  const fitting = stepIndex === undefined ? waiting : waiting.filter((baton) => baton.stepIndex === stepIndex);
  const [first, ...others] = fitting;
  if (first && others.length === 0) return first;
  const steps = waiting.map((baton) => baton.stepIndex).join(', ');
  const named = stepIndex === undefined ? 'No step' : `Step ${stepIndex}`;
  throw new RuntimeError(
    'conflict',
    first
      ? `Steps ${steps} of relay ${pipelineId} wait for a person.`
      : `${named} of relay ${pipelineId} ${stepIndex === undefined ? 'waits' : 'does not wait'} for a person.`,
    waiting.length > 0 ? `Name one of them, counted from 0: ${steps}.` : 'get_relay_status shows where it stands.',
  );
}

async function findAttempt(sql: Sql, { id }: Baton): Promise<ResultRow> {
  const row = await sql.get<ResultRow>(
    "select * from relay_results where baton_id = ? and status = 'passed' order by id desc limit 1",
    id,
  );
  if (!row) throw new Error(`Baton ${id} waits for a person and has no result.`);
  return row;
}
