/** The workspaces of the demo: Acme has two owners, Borealis only one, Cedar two. */
export const workspaceIds = {
  acme: 'ac3e0000-0000-4000-8000-000000000001',
  borealis: 'b0ea1150-0000-4000-8000-000000000002',
  cedar: 'ceda4000-0000-4000-8000-000000000003',
} as const;

/** Somebody who can be signed in as, at the demo's own sign-in. */
export interface DemoPerson {
  /** The JWT's `sub`. For staff it is no user of Atelier. */
  userId: string;
  /** The workspace whose pages they would open first; not always one they are a member of. */
  workspaceId: string;
  mail: string;
  displayName: string;
  /** Roles at the host's desk, in the staff claim. */
  staff?: string[];
}

export type DemoName =
  'owner' | 'admin' | 'member' | 'viewer' | 'neighbour' | 'auditor' | 'support' | 'privacy-lead';

/**
 * Who is who: owner, admin, member and viewer of Acme (admin is a member of Borealis too); neighbour is the
 * only owner of Borealis; auditor is a viewer of Cedar and no member of Acme; support and privacy-lead work
 * at the host's desk and have no account in Atelier.
 */
export const demoPeople: Record<DemoName, DemoPerson> = {
  owner: {
    userId: '00000000-0000-4000-a000-000000000001',
    workspaceId: workspaceIds.acme,
    mail: 'olivia.okafor@acme.example',
    displayName: 'Olivia Okafor',
  },
  admin: {
    userId: '00000000-0000-4000-a000-000000000002',
    workspaceId: workspaceIds.acme,
    mail: 'anton.mueller@acme.example',
    displayName: 'Anton Müller',
  },
  member: {
    userId: '00000000-0000-4000-a000-000000000003',
    workspaceId: workspaceIds.acme,
    mail: 'mira.haddad@acme.example',
    displayName: 'Mira Haddad ميرا حداد',
  },
  viewer: {
    userId: '00000000-0000-4000-a000-000000000004',
    workspaceId: workspaceIds.acme,
    mail: 'vera.lindqvist@acme.example',
    displayName: 'Vera Lindqvist',
  },
  neighbour: {
    userId: '00000000-0000-4000-a000-000000000005',
    workspaceId: workspaceIds.borealis,
    mail: 'noboru.tanaka@borealis.example',
    displayName: '田中 昇',
  },
  auditor: {
    userId: '00000000-0000-4000-a000-000000000006',
    workspaceId: workspaceIds.acme,
    mail: 'avi.cohen@cedar-audit.example',
    displayName: 'Avi Cohen אבי כהן',
  },
  support: {
    userId: '00000000-0000-4000-b000-000000000007',
    workspaceId: workspaceIds.acme,
    mail: 'support@atelier.example',
    displayName: 'Sam Rivera',
    staff: ['support'],
  },
  'privacy-lead': {
    userId: '00000000-0000-4000-b000-000000000008',
    workspaceId: workspaceIds.acme,
    mail: 'privacy@atelier.example',
    displayName: 'Pilar Lopes',
    staff: ['privacy-lead'],
  },
};

/** Wrote in Acme for years, and belongs to no workspace any more. Cannot be signed in as from the list. */
export const formerMember: DemoPerson = {
  userId: '00000000-0000-4000-a000-000000000009',
  workspaceId: workspaceIds.acme,
  mail: 'fergus.mcallister@formerly.example',
  displayName: 'Fergus McAllister',
};
