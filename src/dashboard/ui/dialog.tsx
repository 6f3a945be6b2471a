import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { CallFailed } from '../api.js';
import { notify } from './notices.js';

interface DialogProps {
  title: string;
  onClose(): void;
  children: ComponentChildren;
}

/** A question in front of the page. Escape closes it, and the focus goes back to where it was. */
export function Dialog({ title, onClose, children }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const { current } = element;
    current?.showModal();
    return () => current?.close();
  }, []);
  return (
    <dialog ref={element} aria-labelledby={id} onClose={onClose}>
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  );
}

interface ActionFormProps {
  /** What the button says that does it. */
  label: string;
  isDestructive?: boolean;
  /** Does it, and resolves to what is said of it then; a failure is shown in the form. */
  onSubmit(form: FormData): Promise<string>;
  onClose(): void;
  children?: ComponentChildren;
}

/** The inside of a dialog that does something: fields, a button to do it, and one to leave it. */
export function ActionForm({ label, isDestructive = false, onSubmit, onClose, children }: ActionFormProps) {
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem('');
    try {
      notify(await onSubmit(new FormData(event.currentTarget as HTMLFormElement)));
      onClose();
    } catch (error) {
      const hint = error instanceof CallFailed && error.hint ? ` ${error.hint}` : '';
      setProblem(`${error instanceof Error ? error.message : error}${hint}`);
      setBusy(false);
    }
  };
  return (
    <form class="fields" onSubmit={submit}>
      {children}
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <div class="actions">
        <button type="button" onClick={onClose}>
          {isDestructive ? 'Keep it' : 'Cancel'}
        </button>
        <button type="submit" class={isDestructive ? 'danger' : 'primary'} disabled={isBusy}>
          {label}
        </button>
      </div>
    </form>
  );
}

interface ConfirmButtonProps {
  label: string;
  /** What the dialog is headed by: the question. */
  question: string;
  /** What will come of it. */
  consequence: ComponentChildren;
  onConfirm(): Promise<string>;
}

/** A button for what cannot simply be taken back: it asks first. */
export function ConfirmButton({ label, question, consequence, onConfirm }: ConfirmButtonProps) {
  const [isOpen, setOpen] = useState(false);
  const close = () => setOpen(false);
  return (
    <>
      <button type="button" class="danger" onClick={() => setOpen(true)}>
        {label}
      </button>
      {isOpen && (
        <Dialog title={question} onClose={close}>
          <ActionForm label={label} isDestructive onSubmit={onConfirm} onClose={close}>
            <p>{consequence}</p>
          </ActionForm>
        </Dialog>
      )}
    </>
  );
}
