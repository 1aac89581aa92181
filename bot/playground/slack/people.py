"""What people do in Slack's windows."""

from __future__ import annotations

from typing import Any

from bot.playground.slack import payloads
from bot.playground.slack.delivery import Delivery
from bot.playground.slack.model import Answer, Channel, Message, OpenView, User, find_element
from bot.playground.slack.refusal import NotOffered, Refused
from bot.playground.slack.responses import show
from bot.playground.slack.state import BOT, State
from bot.playground.slack.submitting import answered, filled


class People:
    """Users by name or id, channels by `#name` or id. Raises NotOffered where Slack would not let them."""

    def __init__(self, state: State, delivery: Delivery, command_name: str) -> None:
        self.state, self.delivery, self.command_name = state, delivery, command_name

    def slash(self, user: str, channel: str, text: str, *, command: str = "") -> Answer:
        """Type a slash command; the bot's answer, or Slack's own error, appears for that person alone."""
        name = command or self.command_name
        with self.state.lock:
            person, place = self._inside(user, channel)
            form = payloads.command(self.state, person, place, name, text)
        answer = self.delivery.command(form)
        with self.state.lock:
            self._command_answered(person, place, name, answer)
        self.state.changed()
        return answer

    def mention(self, user: str, channel: str, text: str, thread: str = "") -> tuple[Message, Answer | None]:
        """Write `@towpath text`; None instead of an answer where the bot is not in the channel."""
        return self._write(
            user, channel, f"<@{BOT.id}> {payloads.written(self.state, text)}", thread, notify=True
        )

    def write(self, user: str, channel: str, text: str, thread: str = "") -> Message:
        """Write a message that is not for the bot."""
        return self._write(user, channel, payloads.written(self.state, text), thread, notify=False)[0]

    def dm(self, user: str, text: str, thread: str = "") -> tuple[Message, Answer | None]:
        """Write to the bot directly."""
        with self.state.lock:
            place = self.state.conversation(self.state.user(user).id)
        return self._write(user, place.id, payloads.written(self.state, text), thread, notify=True)

    def open_home(self, user: str) -> Answer:
        """Open the bot's Home tab."""
        with self.state.lock:
            person = self.state.user(user)
            place = self.state.conversation(person.id)
            ts = self.state.new_ts()
            inner = {
                "type": "app_home_opened",
                "user": person.id,
                "channel": place.id,
                "tab": "home",
                "event_ts": ts,
            }
            payload = payloads.event(self.state, inner)
        return self.delivery.event(payload)

    def click(self, user: str, channel: str, message_ts: str, action_id: str) -> Answer:
        """Press a button of a message that this person sees; the confirmation, if there is one, is given."""
        with self.state.lock:
            person, place = self._inside(user, channel)
            message = self._seen(person, place, message_ts)
            element = message.button(action_id)
            if element is None:
                raise NotOffered(f"no {action_id} in that message")
            payload = payloads.click(self.state, person, element, message)
        return self.delivery.interactive(payload)

    def click_view(self, user: str, view_id: str, action_id: str) -> Answer:
        """Press a button in an open modal or in the Home tab."""
        with self.state.lock:
            person = self.state.user(user)
            view = self._view(person, view_id)
            element = find_element(view.view["blocks"], action_id)
            if element is None:
                raise NotOffered(f"no {action_id} in that view")
            payload = payloads.view_click(self.state, person, element, view)
        return self.delivery.interactive(payload)

    def forge_click(
        self, user: str, channel: str, message_ts: str, action_id: str, value: str = "", /, **changes: Any
    ) -> Answer:
        """A click on a button that need not exist, rightly signed; `changes` replace parts of the payload."""
        with self.state.lock:
            person, place = self.state.user(user), self.state.channel(channel)
            message = Message(place.id, message_ts, BOT.id, "")
            action = {"type": "button", "action_id": action_id, "block_id": "b0", "value": value}
            payload = payloads.click(self.state, person, action, message) | changes
        return self.delivery.interactive(payload)

    def submit(self, user: str, view_id: str, values: dict[str, Any] | None = None) -> Answer:
        """Press a modal's submit. values: block_id → text or the chosen option's value."""
        with self.state.lock:
            person = self.state.user(user)
            view = self._view(person, view_id)
            if view.id in {home.id for home in self.state.homes.values()} or not view.view.get("submit"):
                raise NotOffered("a view without submit")
            view.view["state"] = {"values": filled(view.view["blocks"], values or {})}
            payload = payloads.submission(self.state, person, view)
        answer = self.delivery.interactive(payload)
        with self.state.lock:
            answered(self.state, person.id, view, answer)
        self.state.changed()
        return answer

    def dismiss(self, user: str, view_id: str) -> None:
        """Close a modal."""
        with self.state.lock:
            person = self.state.user(user)
            self.state.views[person.id].remove(self._view(person, view_id))
        self.state.changed()

    def _write(
        self, user: str, channel: str, text: str, thread: str, *, notify: bool
    ) -> tuple[Message, Answer | None]:
        with self.state.lock:
            person, place = self._inside(user, channel)
            message = Message(place.id, self.state.new_ts(), person.id, text, thread_ts=thread)
            self.state.add(message)
            heard = notify and BOT.id in place.members
            payload = payloads.event(self.state, payloads.said(message, direct=place.im)) if heard else None
        self.state.changed()
        return message, self.delivery.event(payload) if payload else None

    def _inside(self, user: str, channel: str) -> tuple[User, Channel]:
        person, place = self.state.user(user), self.state.channel(channel)
        if person.id not in place.members:
            raise NotOffered(f"{person.name} is not in that channel")
        return person, place

    def _seen(self, person: User, place: Channel, ts: str) -> Message:
        for message in [*self.state.posts[place.id], *self.state.whispers]:
            if (message.channel, message.ts) == (place.id, ts) and message.only_for in ("", person.id):
                return message
        raise NotOffered("no such message")

    def _view(self, person: User, view_id: str) -> OpenView:
        """The uppermost modal, or the Home tab."""
        stack = self.state.views.get(person.id, [])
        home = self.state.homes.get(person.id)
        for view in [*stack[-1:], *([home] if home else [])]:
            if view.id == view_id:
                return view
        raise NotOffered("no such view in front")

    def _command_answered(self, person: User, place: Channel, name: str, answer: Answer) -> None:
        if answer.ok and not answer.body:
            return
        body = answer.body
        if not answer.ok:
            word = "dispatch_failed" if answer.status else "operation_timeout"
            body = {"text": f'{name} failed with the error "{word}"'}
        try:
            show(self.state, person.id, place.id, body)
        except Refused as no:
            show(self.state, person.id, place.id, {"text": f'{name} failed with the error "{no.error}"'})
