import type { ShownGoal } from '../../../tools/shapes/goal.js';
import { type Arguments, useMayWrite, write } from '../../api.js';
import { ActionForm, ConfirmButton, DialogButton } from '../../ui/dialog.js';
import { act } from '../../ui/notices.js';
import { AddTask } from '../board/add-task.js';
import { textOf } from '../board/task-fields.js';
import { ModelField } from '../jobs/model-field.js';

/** The actions that a goal allows in its present state. */
export function GoalActions({ goal }: { goal: ShownGoal }) {
  const mayWrite = useMayWrite();
  if (!mayWrite) return null;
  const { id, status, progress } = goal;
  const open = progress.pending + progress.in_progress;
  const isActive = status === 'active';
  return (
    <div class="actions">
      {status !== 'cancelled' && <AddTask goals={[goal]} goalId={String(id)} />}
      {isActive && !goal.run_id && open + progress.failed > 0 && <RunGoal goal={goal} />}
      <EditGoal goal={goal} />
      {isActive && open === 0 && progress.total > progress.cancelled && (
        <button type="button" onClick={() => act(() => setStatus(id, 'completed'), `Goal ${id} is completed.`)}>
          Complete goal
        </button>
      )}
      {!isActive && <Reopen goal={goal} />}
      {isActive && (
        <ConfirmButton
          label="Cancel goal"
          question="Cancel this goal?"
          consequence="All of its open tasks are cancelled, also those that somebody works on. Completed ones stay. Reopening the goal brings the tasks back, without their claims."
          onConfirm={async () => {
            await setStatus(id, 'cancelled');
            return { text: `Goal ${id} is cancelled.`, undo: () => reopenGoal(goal) };
          }}
        />
      )}
    </div>
  );
}

const setStatus = (id: number, status: ShownGoal['status']) => write('update_goal', { goal_id: id, status });

interface Reopened {
  reopened: number;
}

/** A cancelled goal comes back with the tasks that were cancelled with it. */
const reopenGoal = ({ id }: ShownGoal) => write<Reopened>('page/reopen_goal', { goal_id: id });

function Reopen({ goal }: { goal: ShownGoal }) {
  const { id, status } = goal;
  const isCancelled = status === 'cancelled';
  const reopen = () => (isCancelled ? reopenGoal(goal) : setStatus(id, 'active'));
  return (
    <button
      type="button"
      onClick={() =>
        act(reopen, {
          text: isCancelled
            ? `Goal ${id} is active again, with the tasks that were cancelled with it.`
            : `Goal ${id} is active again.`,
          undo: () => setStatus(id, status),
        })
      }
    >
      Reopen
    </button>
  );
}

const usualConcurrency = 2;

/** Lets background models do the tasks of the goal. */
function RunGoal({ goal }: { goal: ShownGoal }) {
  const run = async (form: FormData) => {
    const model = textOf(form, 'model');
    const budget = textOf(form, 'token_budget');
    await write('run_goal', {
      goal_id: goal.id,
      concurrency: Number(textOf(form, 'concurrency')),
      ...(model === '' ? {} : { model }),
      ...(budget === '' ? {} : { token_budget: Number(budget) }),
      ...(form.has('verify') ? {} : { verify: false }),
      ...(form.has('worktree') ? { worktree: true } : {}),
    });
    return `Models work on goal ${goal.id} now.`;
  };
  return (
    <DialogButton label="Run" title="Run this goal">
      {(close) => (
        <ActionForm label="Run" onSubmit={run} onClose={close}>
          <p class="quiet">
            Background models do its tasks one after the other, in their order, until no more of them can be done.
          </p>
          <ModelField usual={undefined} />
          <div class="pair">
            <label>
              Tasks at once
              <input name="concurrency" type="number" min={1} max={20} required defaultValue={usualConcurrency} />
            </label>
            <TokenBudget label="Token budget of the goal" goal={goal} />
          </div>
          <label class="check">
            <input name="verify" type="checkbox" defaultChecked />
            Judge answers by the acceptance criteria of their tasks
          </label>
          <label class="check">
            <input name="worktree" type="checkbox" />
            Work in git worktrees, one for each task
          </label>
        </ActionForm>
      )}
    </DialogButton>
  );
}

const mostTokens = 1_000_000_000;

interface TokenBudgetProps {
  label: string;
  goal: ShownGoal;
  /** Whether an empty field removes the limit; else it stays as it is. */
  isChanged?: boolean;
}

function TokenBudget({ label, goal, isChanged = false }: TokenBudgetProps) {
  const budget = goal.tokens?.budget ?? undefined;
  return (
    <label>
      {label}
      <input
        name="token_budget"
        type="number"
        min={isChanged ? 0 : 1}
        max={mostTokens}
        placeholder={isChanged ? 'no limit' : (budget?.toLocaleString('en') ?? 'no limit')}
        defaultValue={isChanged ? budget : undefined}
      />
    </label>
  );
}

function EditGoal({ goal }: { goal: ShownGoal }) {
  const save = async (form: FormData) => {
    const budget = textOf(form, 'token_budget');
    const after: Arguments = {
      name: textOf(form, 'name'),
      description: textOf(form, 'description'),
      token_budget: budget === '' ? null : Number(budget),
    };
    const before: Arguments = {
      name: goal.name,
      description: goal.description,
      token_budget: goal.tokens?.budget ?? null,
    };
    const changed = Object.keys(after).filter((field) => after[field] !== before[field]);
    if (changed.length === 0) return 'Nothing was changed.';
    const pick = (from: Arguments) => Object.fromEntries(changed.map((field) => [field, from[field]]));
    await write('update_goal', { goal_id: goal.id, ...pick(after) });
    return {
      text: `Goal ${goal.id} is changed.`,
      undo: () => write('update_goal', { goal_id: goal.id, ...pick(before) }),
    };
  };
  return (
    <DialogButton label="Edit" title="Edit this goal">
      {(close) => (
        <ActionForm label="Save" onSubmit={save} onClose={close}>
          <label>
            Name
            <input name="name" required maxLength={500} dir="auto" defaultValue={goal.name} />
          </label>
          <label>
            Description
            <textarea name="description" rows={8} maxLength={100_000} dir="auto" defaultValue={goal.description} />
          </label>
          <TokenBudget label="Token budget" goal={goal} isChanged />
        </ActionForm>
      )}
    </DialogButton>
  );
}
