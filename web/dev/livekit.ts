// What the mock needs of a local LiveKit server: tokens, and the few calls a host makes.

import { createHmac } from 'node:crypto';

const encode = (v: unknown) => Buffer.from(typeof v === 'string' ? v : JSON.stringify(v)).toString('base64url');

export class LiveKit {
  constructor(
    private readonly url: string,
    private readonly key: string,
    private readonly secret: string,
  ) {}

  /** A token for one person in one room. */
  token(room: string, identity: string, name: string, attributes: Record<string, string>): string {
    return this.sign({ sub: identity, name, attributes, video: { roomJoin: true, room, canPublish: true, canSubscribe: true } });
  }

  async setMetadata(room: string, facts: unknown): Promise<void> {
    await this.call('CreateRoom', { name: room, empty_timeout: 60 });
    await this.call('UpdateRoomMetadata', { room, metadata: JSON.stringify(facts) });
  }

  async end(room: string): Promise<void> {
    await this.call('DeleteRoom', { room });
  }

  async remove(room: string, identity: string): Promise<void> {
    await this.call('RemoveParticipant', { room, identity });
  }

  async mute(room: string, identity: string): Promise<void> {
    const person = (await this.call('GetParticipant', { room, identity })) as { tracks?: { sid: string; source: string }[] };
    const mic = person.tracks?.find((t) => t.source === 'MICROPHONE');
    if (mic) await this.call('MutePublishedTrack', { room, identity, track_sid: mic.sid, muted: true });
  }

  private sign(claims: object): string {
    const seconds = Math.floor(Date.now() / 1000);
    const body = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ iss: this.key, nbf: seconds - 10, exp: seconds + 3600, ...claims })}`;
    return `${body}.${createHmac('sha256', this.secret).update(body).digest('base64url')}`;
  }

  private async call(method: string, request: Record<string, unknown>): Promise<unknown> {
    const room = (request.room ?? request.name) as string;
    const res = await fetch(`${this.url}/twirp/livekit.RoomService/${method}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${this.sign({ video: { roomCreate: true, roomAdmin: true, room } })}` },
      body: JSON.stringify(request),
    });
    if (!res.ok) throw new Error(`LiveKit ${method}: ${res.status} ${await res.text()}`);
    return res.json();
  }
}
