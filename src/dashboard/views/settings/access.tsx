import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Settings } from '../../../http/page/settings.js';
import { write } from '../../api.js';
import { ActionForm, ConfirmButton, DialogButton } from '../../ui/dialog.js';
import { Time } from '../../ui/time.js';

type Access = NonNullable<Settings['access']>;

interface AccessSettingsProps {
  /** Only the owner sees it. */
  access: Access | undefined;
  /** The session of this browser. */
  own: string | undefined;
}

/** The tokens and the browsers that are signed in. */
export function AccessSettings({ access, own }: AccessSettingsProps) {
  if (!access) {
    return (
      <section>
        <h2>Access</h2>
        <p class="quiet">Tokens and browsers are managed by the owner, here or with `agent-runtime token`.</p>
      </section>
    );
  }
  return (
    <>
      <section>
        <div class="section-head">
          <h2>Tokens</h2>
          <DialogButton label="New token" title="New token">
            {(close) => <NewToken onClose={close} />}
          </DialogButton>
        </div>
        {access.tokens.length === 0 ? (
          <p class="quiet">None. Programs and other people get in by a token.</p>
        ) : (
          <Tokens tokens={access.tokens} />
        )}
      </section>
      <section>
        <h2>Browsers</h2>
        <Browsers browsers={access.browsers} own={own} />
      </section>
    </>
  );
}

function Tokens({ tokens }: Pick<Access, 'tokens'>) {
  return (
    <Holdings
      heads={['Name', 'Created']}
      rows={tokens.map(({ id, name, ...rest }) => ({
        ...rest,
        id,
        name,
        mark: <code class="quiet">{id}</code>,
        action: (
          <ConfirmButton
            label="Revoke"
            question={`Revoke the token ${name}?`}
            consequence="What uses it is let in no more, at once and for good, and its browsers are signed out."
            onConfirm={() => revoke(id)}
          />
        ),
      }))}
    />
  );
}

function Browsers({ browsers, own }: Pick<Access, 'browsers'> & { own: string | undefined }) {
  if (browsers.length === 0) return <p class="quiet">None is signed in.</p>;
  return (
    <Holdings
      heads={['Signed in as', 'Since']}
      rows={browsers.map(({ id, name, ...rest }) => ({
        ...rest,
        id,
        name,
        mark: id === own ? <span class="badge">this browser</span> : <code class="quiet">{id}</code>,
        action: id !== own && (
          <ConfirmButton
            label="Sign out"
            question="Sign out this browser?"
            consequence={`It is a browser of ${name}. It needs another code or token to come in again.`}
            onConfirm={() => revoke(id)}
          />
        ),
      }))}
    />
  );
}

type Holding = (Access['tokens'][number] | Access['browsers'][number]) & {
  mark: ComponentChildren;
  action: ComponentChildren;
};

/** What lets somebody in, with its rights and times. */
function Holdings({ heads: [who, since], rows }: { heads: [who: string, since: string]; rows: Holding[] }) {
  return (
    <table class="holdings">
      <thead>
        <tr>
          <th>{who}</th>
          <th>Rights</th>
          <th>{since}</th>
          <th>Last used</th>
          <th>Ends</th>
          <th>
            <span class="unseen">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ id, name, mark, read_only, created_at, last_used_at, expires_at, action }) => (
          <tr key={id}>
            <td>
              <strong>{name}</strong> {mark}
            </td>
            <td data-name="Rights">{read_only ? 'read-only' : 'full'}</td>
            <td data-name={since}>
              <Time at={created_at} />
            </td>
            <td data-name="Last used">
              <TimeOrNever at={last_used_at} />
            </td>
            <td data-name="Ends">
              <TimeOrNever at={expires_at} />
            </td>
            <td>{action}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const TimeOrNever = ({ at }: { at: string | null | undefined }) =>
  at ? <Time at={at} /> : <span class="quiet">never</span>;

async function revoke(id: string): Promise<string> {
  const { kind, name } = await write<{ kind: 'token' | 'browser'; name: string }>('page/revoke_access', { id });
  return kind === 'token' ? `The token ${name} is revoked.` : `A browser of ${name} is signed out.`;
}

function NewToken({ onClose }: { onClose(): void }) {
  const [token, setToken] = useState<string>();
  if (token !== undefined) return <ShownOnce token={token} onClose={onClose} />;
  const create = async (form: FormData) => {
    const days = Number(form.get('days'));
    const made = await write<{ token: string }>('page/create_token', {
      name: String(form.get('name')).trim(),
      read_only: form.get('rights') === 'read',
      ...(days > 0 ? { days } : {}),
    });
    setToken(made.token);
    return 'The token is created.';
  };
  return (
    // It stays open, to show what was made.
    <ActionForm label="Create" onSubmit={create} onClose={() => {}}>
      <label>
        Name
        <input name="name" required maxLength={60} placeholder="what it is for" />
      </label>
      <div class="pair">
        <label>
          Rights
          <select name="rights">
            <option value="full">full: may change everything</option>
            <option value="read">read-only</option>
          </select>
        </label>
        <label>
          Ends after
          <select name="days">
            <option value="">never</option>
            {[1, 7, 30, 90, 365].map((days) => (
              <option key={days} value={days}>
                {days === 1 ? '1 day' : `${days} days`}
              </option>
            ))}
          </select>
        </label>
      </div>
    </ActionForm>
  );
}

function ShownOnce({ token, onClose }: { token: string; onClose(): void }) {
  return (
    <div class="fields">
      <p>It is shown this once. Programs send it as `Authorization: Bearer TOKEN`; people sign in with it.</p>
      <label>
        Token
        <input class="secret" readOnly value={token} onFocus={(event) => event.currentTarget.select()} />
      </label>
      <div class="actions">
        <button type="button" onClick={() => navigator.clipboard?.writeText(token)}>
          Copy
        </button>
        <button type="button" class="primary" onClick={onClose}>
          Done
        </button>
      </div>
    </div>
  );
}
