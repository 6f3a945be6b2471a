interface StepBarProps {
  /** Steps that have passed. */
  done: number;
  total: number;
  status: string;
}

/** The steps of a relay as so many pieces of a bar. */
export function StepBar({ done, total, status }: StepBarProps) {
  const atWork = status === 'failed' ? 'failed' : status === 'in_progress' ? 'in_progress' : '';
  return (
    <span class="step-bar" aria-hidden="true">
      {Array.from({ length: total }, (_, step) => (
        <span key={step} class={step < done ? 'completed' : step === done ? atWork : ''} />
      ))}
    </span>
  );
}
