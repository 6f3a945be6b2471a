import { useState } from 'preact/hooks';
import type { MessagePage, PageMessage } from '../../../http/page/messages.js';
import { useMayWrite, write } from '../../api.js';
import { Link, type ViewProps } from '../../location.js';
import { acknowledge } from '../../shell/acknowledge.js';
import { ActionForm, Dialog } from '../../ui/dialog.js';
import { Name } from '../../ui/name.js';
import { Passage } from '../../ui/passage.js';
import { Empty, Pages, RawJson, Shown } from '../../ui/shown.js';
import { Time } from '../../ui/time.js';
import { useRead } from '../../use-read.js';

/** What sessions, workers and people have written to each other. */
export function Messages({ query }: ViewProps) {
  const before = query.get('before');
  const thread = Number(query.get('thread')) || undefined;
  const args = { limit: 50, ...(before ? { cursor: before } : {}), ...(thread ? { thread } : {}) };
  const reading = useRead<MessagePage>('page/messages', args, { subjects: ['message'] });
  return (
    <>
      <div class="toolbar">
        <Send label="New message" />
        {thread && <Link to="/messages">All messages</Link>}
      </div>
      <Shown reading={reading}>
        {({ messages, next_cursor }) =>
          messages.length === 0 ? (
            <Empty
              what="No messages. Sessions and workers write to each other with send_message."
              command='agent-runtime message send --to all --subject "Stop at noon" --body "The release is frozen."'
            />
          ) : (
            <>
              <ul class="messages">
                {messages.map((message) => (
                  <li key={message.id}>
                    <Message message={message} />
                  </li>
                ))}
              </ul>
              <Pages path="/messages" query={query} next={next_cursor} />
            </>
          )
        }
      </Shown>
      <RawJson value={reading.data} />
    </>
  );
}

function Message({ message }: { message: PageMessage }) {
  const { id, thread, from, to, subject, body, importance, sent_at, unread } = message;
  const mayWrite = useMayWrite();
  return (
    <article class={importance === 'high' ? 'message important' : 'message'} aria-label={subject}>
      <header>
        <strong>{subject}</strong>
        {importance && <span class={importance === 'high' ? 'fact bad' : 'quiet'}>{importance}</span>}
        <span class="quiet small">
          <Name of={from} /> to <Name of={to} />, <Time at={sent_at} />
        </span>
      </header>
      <Passage text={body} />
      <footer>
        <Link to={`/messages?thread=${thread}`}>Thread</Link>
        {unread && mayWrite && (
          <button
            type="button"
            aria-label={`Mark as read ${subject}`}
            onClick={() => acknowledge('message', [String(id)])}
          >
            Mark as read
          </button>
        )}
        <Send label="Answer" answered={{ id, to: from === 'user' ? to : from, subject }} />
      </footer>
    </article>
  );
}

interface SendProps {
  label: string;
  answered?: { id: number; to: string; subject: string };
}

/** The button that writes a message, and its form. */
function Send({ label, answered }: SendProps) {
  const [isOpen, setOpen] = useState(false);
  if (!useMayWrite()) return null;
  const close = () => setOpen(false);
  const send = async (form: FormData) => {
    const { to } = await write<{ to: string }>('send_message', {
      to: String(form.get('to')),
      subject: String(form.get('subject')),
      body: String(form.get('body')),
      importance: String(form.get('importance')),
      ...(answered ? { thread: answered.id } : {}),
    });
    return `The message to ${to} is sent.`;
  };
  return (
    <>
      <button type="button" class={answered ? '' : 'primary'} onClick={() => setOpen(true)}>
        {label}
      </button>
      {isOpen && (
        <Dialog title={label} onClose={close}>
          <ActionForm label="Send" onSubmit={send} onClose={close}>
            <label>
              To
              <input
                name="to"
                required
                maxLength={300}
                defaultValue={answered?.to ?? 'all'}
                title="A worker, slot:N or session, goal:ID, or all"
              />
            </label>
            <label>
              Subject
              <input
                name="subject"
                required
                maxLength={200}
                defaultValue={answered ? answered.subject.replace(/^(Re: )?/, 'Re: ').slice(0, 200) : ''}
              />
            </label>
            <label>
              Text
              <textarea name="body" rows={7} required maxLength={8_000} />
            </label>
            <label>
              Importance
              <select name="importance">
                <option>normal</option>
                <option>high</option>
                <option>low</option>
              </select>
            </label>
          </ActionForm>
        </Dialog>
      )}
    </>
  );
}
