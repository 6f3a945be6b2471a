import type { TaskCard } from '../../../http/page/tasks.js';
import { Link, queryText } from '../../location.js';
import { Name } from '../../ui/name.js';
import { Pick } from '../../ui/pick.js';
import type { Selection } from '../../ui/selection.js';
import { toneClass } from '../../ui/state.js';
import { TaskFacts } from '../../ui/task-table.js';

export interface CardProps {
  task: TaskCard;
  query: URLSearchParams;
  isChanged: boolean;
  hasGoal: boolean;
  /** Without it, nothing can be done with the card. */
  selection: Selection | undefined;
  onDrag(task: TaskCard | undefined): void;
  onMenu(task: TaskCard, anchor: HTMLElement): void;
}

/** A task on the board: dragged to another column, or moved by its menu. */
export function Card({ task, query, isChanged, hasGoal, selection, onDrag, onMenu }: CardProps) {
  return (
    <li
      class={selection ? 'card-place is-movable' : 'card-place'}
      onDragStart={(event) => {
        if (!selection) return;
        event.dataTransfer?.setData('text/plain', String(task.id));
        // A page that is drawn anew within this event ends the drag.
        setTimeout(() => onDrag(task));
      }}
      onDragEnd={() => onDrag(undefined)}
    >
      <Link
        to={`/board/task/${task.id}${queryText(query)}`}
        class={`card ${toneClass(task.state)}${isChanged ? ' just-changed' : ''}`}
      >
        <span class="card-title" dir="auto">
          {task.title}
        </span>
        {task.error && (
          <span class="error-line" dir="auto">
            {task.error}
          </span>
        )}
        <span class="facts">
          <span class="fact id">{task.key ?? `#${task.id}`}</span>
          <TaskFacts task={task} />
        </span>
        {hasGoal && task.goal_id !== undefined && (
          <span class="card-goal" dir="auto">
            <Name of={`goal:${task.goal_id}`} isLinked={false} />
          </span>
        )}
      </Link>
      {selection && (
        <>
          <button
            type="button"
            class="card-menu"
            aria-haspopup="menu"
            aria-label={`Move ${task.title}`}
            onClick={(event) => onMenu(task, event.currentTarget)}
          >
            ⋯
          </button>
          <Pick id={task.id} title={task.title} selection={selection} />
        </>
      )}
    </li>
  );
}
