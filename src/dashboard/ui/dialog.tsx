import { type ComponentChildren, createContext } from 'preact';
import { useContext, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { failureWords } from './failure-words.js';
import { type NewNotice, notice } from './notices.js';

interface DialogProps {
  title: string;
  onClose(): void;
  children: ComponentChildren;
}

/** How what is in a dialog asks to leave it. */
const LeaveContext = createContext<(() => void) | undefined>(undefined);

/** A modal dialog. Escape closes it and gives the focus back; what was typed into it is not thrown away unasked. */
export function Dialog({ title, onClose, children }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  /** What each field held before it was first touched. */
  const untouched = useRef(new Map<Field, string>());
  /** Those that somebody has written into: what a change elsewhere has renewed is not what was typed. */
  const written = useRef(new Set<EventTarget>());
  const [isAsking, setAsking] = useState(false);
  const id = useId();
  // Before the browser draws, and not after: what is pressed next is meant for the dialog.
  useLayoutEffect(() => {
    const { current } = element;
    current?.showModal();
    return () => current?.close();
  }, []);
  /** By the browser, which gives the focus back. */
  const close = () => element.current?.close();
  const leave = () => {
    const hasEntered = [...untouched.current].some(
      ([field, before]) => field.isConnected && written.current.has(field) && contentOf(field) !== before,
    );
    if (hasEntered) setAsking(true);
    else close();
  };
  const touch = ({ target }: Event) => {
    if (isField(target) && !untouched.current.has(target)) untouched.current.set(target, contentOf(target));
  };
  return (
    <dialog
      ref={element}
      aria-labelledby={id}
      onClose={onClose}
      // A phone's gesture for back.
      onCancel={(event) => {
        event.preventDefault();
        leave();
      }}
      // A browser closes a dialog at the second Escape, whatever `cancel` says.
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        event.preventDefault();
        if (isAsking) setAsking(false);
        else leave();
      }}
      onFocusIn={touch}
      onPointerDownCapture={touch}
      onInput={({ target }) => target && written.current.add(target)}
    >
      <h2 id={id}>{title}</h2>
      <LeaveContext.Provider value={leave}>{children}</LeaveContext.Provider>
      {isAsking && <AskToDiscard onKeep={() => setAsking(false)} onDiscard={close} />}
    </dialog>
  );
}

type Field = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

const isField = (target: EventTarget | null): target is Field =>
  target instanceof HTMLElement && target.matches('input, textarea, select');

const contentOf = (field: Field): string =>
  'checked' in field && field.type === 'checkbox' ? String(field.checked) : field.value;

function AskToDiscard({ onKeep, onDiscard }: { onKeep(): void; onDiscard(): void }) {
  const keep = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => {
    const last = document.activeElement;
    keep.current?.focus();
    return () => {
      if (last instanceof HTMLElement && last.isConnected) last.focus();
    };
  }, []);
  return (
    <div class="discard" role="alertdialog" aria-label="Discard what you have entered?">
      <p>Discard what you have entered?</p>
      <div class="actions">
        <button ref={keep} type="button" onClick={onKeep}>
          Keep editing
        </button>
        <button type="button" class="danger" onClick={onDiscard}>
          Discard
        </button>
      </div>
    </div>
  );
}

interface ActionFormProps {
  /** The label of the button that submits. */
  label: string;
  isDestructive?: boolean;
  /** The label of the button that closes the form without doing anything. */
  dismiss?: string;
  /** Submits, and resolves to the notice to show; a failure is shown in the form. */
  onSubmit(form: FormData): Promise<string | NewNotice>;
  onClose(): void;
  children?: ComponentChildren;
}

/** The form inside a dialog: fields, a submit button and a cancel button. */
export function ActionForm(props: ActionFormProps) {
  const { label, isDestructive = false, dismiss = 'Cancel', onSubmit, onClose, children } = props;
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const leave = useContext(LeaveContext) ?? onClose;
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem('');
    try {
      const done = await onSubmit(new FormData(event.currentTarget as HTMLFormElement));
      notice(typeof done === 'string' ? { text: done } : done);
      onClose();
    } catch (error) {
      setProblem(failureWords(error));
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
        <button type="button" onClick={leave}>
          {dismiss}
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
  /** The dialog's heading: the question. */
  question: string;
  /** The consequence, in a sentence. */
  consequence: ComponentChildren;
  onConfirm(): Promise<string | NewNotice>;
}

/** A button that asks for confirmation, for actions that cannot be undone. */
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
          <ActionForm label={label} isDestructive dismiss="Keep it" onSubmit={onConfirm} onClose={close}>
            <p>{consequence}</p>
          </ActionForm>
        </Dialog>
      )}
    </>
  );
}

interface DialogButtonProps {
  label: string;
  /** What a screen reader says of the button where its label alone does not tell what it is about. */
  name?: string;
  title: string;
  class?: string;
  /** The content; the function closes the dialog. */
  children(close: () => void): ComponentChildren;
}

/** A button that opens a dialog. */
export function DialogButton({ label, name, title, class: className, children }: DialogButtonProps) {
  const [isOpen, setOpen] = useState(false);
  const close = () => setOpen(false);
  return (
    <>
      <button type="button" class={className} aria-label={name} onClick={() => setOpen(true)}>
        {label}
      </button>
      {isOpen && (
        <Dialog title={title} onClose={close}>
          {children(close)}
        </Dialog>
      )}
    </>
  );
}
