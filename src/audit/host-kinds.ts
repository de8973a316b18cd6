/** Which kinds of people the host has. The log stands below the data map, so whoever has the map hands this over. */
export class HostKinds {
  /**
   * @param all the names of the kinds
   * @param signIn the kind that signs in: who is meant where nobody says
   */
  constructor(
    readonly all: readonly string[],
    readonly signIn?: string,
  ) {}
}
