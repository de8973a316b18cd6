import { moment, opening } from './calendar.js';
import { at, type Dice } from './random.js';
import type { IntegrationRow, InvoiceRow, MembershipRow, UserRow, WorkspaceRow } from './rows.js';
import { seal, type Sealed } from './sealing.js';

export const plans = [
  { code: 'free', name: 'Free', monthly_price: '0.00', currency: 'EUR', features: [] },
  { code: 'team', name: 'Team', monthly_price: '49.00', currency: 'EUR', features: ['customers'] },
  {
    code: 'business',
    name: 'Business',
    monthly_price: '199.90',
    currency: 'EUR',
    features: ['customers', 'sso', 'byok'],
  },
] as const;

export const featureFlags = [
  { name: 'new-editor', enabled: true, rollout: '0.2500' },
  { name: 'voice-notes', enabled: false, rollout: '0.0000' },
] as const;

/** Every third member connected something; some tokens never had a refresh token, one account has no name. */
export function makeIntegrations(dice: Dice, memberships: readonly MembershipRow[]): IntegrationRow[] {
  return memberships
    .filter((_, index) => index % 3 === 0)
    .map(({ workspace_id, user_id }, index) => {
      const own = dice.fork(index);
      const id = own.uuid();
      const token = (kind: string): Sealed =>
        seal(`integrations.${kind}:${id}`, `${kind}-demo-${own.bytes(32).toString('base64url')}`);
      const access = token('access');
      const refresh = index % 4 === 1 ? null : token('refresh');
      return {
        id,
        workspace_id,
        connected_by: user_id,
        provider: own.pick(['calendar', 'drive', 'crm']),
        account_name: index === 3 ? null : `account ${own.between(1000, 9999)} – "work"`,
        access_token_sealed: access.sealed,
        access_token_nonce: access.nonce,
        refresh_token_sealed: refresh?.sealed ?? null,
        refresh_token_nonce: refresh?.nonce ?? null,
        scopes: index % 5 === 2 ? [] : ['read', 'write:files', 'profile "basic"'],
        expires_at: refresh ? moment(opening, 1200 + index) : null,
        created_at: moment(opening, 200 + index),
      };
    });
}

interface Ledger {
  workspaces: readonly WorkspaceRow[];
  memberships: readonly MembershipRow[];
  users: readonly UserRow[];
}

/** One invoice a month per paying workspace, billed to its first owner. */
export function makeInvoices(dice: Dice, { workspaces, memberships, users }: Ledger): InvoiceRow[] {
  return workspaces
    .filter(({ plan_code }) => plan_code !== 'free')
    .flatMap((workspace) => {
      const payer = memberships.find(
        ({ workspace_id, role }) => workspace_id === workspace.id && role === 'owner',
      );
      const billed = users.find(({ id }) => id === payer?.user_id);
      const own = dice.fork(workspace.slug);
      return Array.from({ length: 30 }, (_, month) => invoice(own, workspace, billed, month));
    });
}

function invoice(
  dice: Dice,
  workspace: WorkspaceRow,
  billed: UserRow | undefined,
  month: number,
): InvoiceRow {
  const issued = moment(Date.UTC(2024, 3 + month, 1));
  const amount = at(amounts, month % amounts.length);
  return {
    number: `${workspace.slug.toUpperCase()}-${issued.slice(0, 7)}`,
    workspace_id: workspace.id,
    billed_user_id: billed?.id ?? null,
    billed_name: `${billed?.display_name ?? ''}\n${workspace.name}\nMusterstraße ${month + 1}`,
    ...amount,
    line_items: [
      { text: 'Seats', quantity: dice.between(5, 50), unit: JSON.rawJSON('4.90') },
      { text: 'Discount “loyalty”', quantity: 1, unit: JSON.rawJSON('-0.10'), note: null },
    ],
    issued_on: issued.slice(0, 10),
    paid_at: month === 29 ? null : moment(Date.parse(issued), dice.between(1, 28)),
  };
}

/** Money as its currency writes it; the cents of a sum beyond 2^53 count too. */
const amounts = [
  { amount: '199.90', currency: 'EUR' },
  { amount: '0.00', currency: 'EUR' },
  { amount: '-49.00', currency: 'EUR' },
  { amount: '29800', currency: 'JPY' },
  { amount: '75.375', currency: 'BHD' },
  { amount: '90071992547409931.10', currency: 'USD' },
];
