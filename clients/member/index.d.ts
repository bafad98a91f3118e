/** What went wrong: Roomgate's problem, your backend's, or the SDK's (code `pusher…`). */
export interface Problem {
  code: string;
  status?: number;
  detail?: string;
  /** Tencent's code, where it refused the roomsig request. */
  tencentCode?: number;
}

export interface Grant {
  url: string;
  token: string;
  /** Unix ms. */
  epoch: number;
  /** Unix seconds. */
  expiresAt: number;
  /** Where the room's roster is read with the token. */
  rosterUrl?: string;
}

export interface HttpRequest {
  method: string;
  url: string;
  headers: Record<string, string>;
  body?: unknown;
  timeoutMs: number;
  /** The page goes: the request must outlive it. */
  last?: boolean;
}

/** An entry, as Roomgate's `POST /v1/entries` answers it. */
export interface Entry {
  sdkAppId: number;
  userId: string;
  roomId?: number;
  strRoomId?: string;
  userSig: string;
  privateMapKey: string;
  rtcUrl: string;
  roomsigRequest?: Pick<HttpRequest, 'method' | 'url' | 'headers' | 'body'>;
  report: Grant;
}

export interface HttpAnswer {
  status: number;
  /** Names in lower case; `retry-after` and `etag` matter. */
  headers: Record<string, string | null | undefined>;
  /** Decoded JSON. */
  body: any;
}

export interface Stream {
  type: 'main' | 'aux';
  playurl?: string;
  video?: boolean;
  audio?: boolean;
}

export interface OtherMember {
  userid: string;
  playurl?: string;
  streams: Stream[];
}

export interface State {
  phase: 'idle' | 'entering' | 'connecting' | 'inside' | 'suspended' | 'left' | 'failed';
  /** For live-pusher; empty where it must not push. */
  url: string;
  entry: Entry | null;
  members: OtherMember[];
  problem: Problem | null;
}

/** What the member needs of its host. */
export interface Platform {
  /** Ms by a monotonic clock. */
  now(): number;
  /** From 0 to 1. */
  random(): number;
  setTimeout(run: () => void, ms: number): unknown;
  clearTimeout(id: unknown): void;
  storage: { get(key: string): any; set(key: string, value: unknown): void };
  /** Rejects without an answer; `abort` ends the request. */
  send(request: HttpRequest): Promise<HttpAnswer> & { abort?(): void };
  /** Calls the member's `shown`, `online` and `pageGoes`; returns what ends that. */
  watch(member: Member): () => void;
}

export interface MemberOptions {
  platform: Platform;
  /** Asks your backend for an entry. Rejects with a Problem. */
  getEntry(why: { reason: 'enter' | 'network' | 'lost' | 'retry' | 'ticket' | 'expiring' | 'refused' }): Promise<Entry>;
  /** Brings your backend Tencent's answer to the roomsig request. Rejects with a Problem. */
  getRoomUrl?(answer: unknown): Promise<{ roomUrl: string }>;
  flow?: 'rtc' | 'roomsig';
  onChange?(state: State): void;
}

export declare class Member {
  constructor(options: MemberOptions);
  readonly state: State;
  enter(): void;
  leave(): Promise<void>;
  onPushEvent(event: { detail: { code: number; message?: string } } | { code: number; message?: string }): void;
  entered(): void;
  othersAre(users: { userid: string; playurl?: string }[]): void;
  userEntered(userid: string, playurl?: string): void;
  userExited(userid: string): void;
  streamChanged(userid: string, type: 'main' | 'aux', change: Omit<Stream, 'type'>): void;
  networkChanged(): void;
  lost(code: number, detail?: string): void;
  mustLeave(): void;
  kickedOut(reason?: string): void;
  shown(): void;
  online(): void;
  pageGoes(): void;
  roster(): Promise<any | null>;
}

/** Reporting alone, for clients that get in by themselves. */
export declare class Reporter {
  constructor(
    platform: Platform,
    storageKey: string,
    listeners: {
      onToken(reason: 'expiring' | 'refused'): void;
      onAnswer(answer: any): void;
      onEnd(problem: Problem): void;
    },
  );
  use(grant: Grant): void;
  report(users: { userid: string; playurl?: string }[], settleMs: number): void;
  pause(): void;
  leave(): Promise<void>;
  leaveAtOnce(): void;
  wake(networkIsNew?: boolean): void;
  stop(): void;
  roster(): Promise<any | null>;
}

export declare function wxPlatform(wx: any): Platform;
export declare function browserPlatform(window: any): Platform;
/** TRTC's web SDK v5; returns what ends it. */
export declare function watchTrtc(trtc: any, EVENT: any, member: Member): () => void;
/** trtc-wx-sdk; returns what ends it. */
export declare function watchTrtcWx(trtc: any, EVENT: any, member: Member): () => void;
