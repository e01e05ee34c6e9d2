import type { Undo } from '../security/secured.js';
import type { BusOverrides, CreateRequest } from '../subject.js';

/** The user who comes by every door that asks for one. */
export const VISITOR = { username: 'visitor', password: 'visitor-secret' } as const;

/** What the visitor's password is not. */
export const WRONG_LOGIN = { username: 'visitor', password: 'not-it' } as const;

const OTHER_PASSWORD = 'visitor-secret-2';

/** The visitor's password, which can be another one; `set` tells the broker. */
export class VisitorLogin {
  #password: string = VISITOR.password;

  constructor(private readonly set: (password: string) => Promise<void>) {}

  /** Asked at every connect. */
  readonly credentials = (): { username: string; password: string } => ({
    username: VISITOR.username,
    password: this.#password,
  });

  /** As `Door.rotate`. */
  readonly rotate = async (): Promise<Undo> => {
    await this.change(OTHER_PASSWORD);
    return () => this.change(VISITOR.password);
  };

  async change(password: string): Promise<void> {
    await this.set(password);
    this.#password = password;
  }
}

/** A request with this security, unless it says another. */
export function withSecurity(request: CreateRequest, security: object): CreateRequest {
  return { ...request, overrides: { security, ...request.overrides } satisfies BusOverrides };
}
