"""From names to a render: persona, voice, brand, plate, script and engines resolved into the one request a workflow is
started with, so that nothing it is made of can change under it."""

from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, model_validator

from api.common import AssetId, Line, Prose, Words, artifact_of, sentences
from api.routes.brands import brand_of
from api.routes.plates import plate_of
from api.routes.scripts import segments_of
from api.services import Services
from models.approval import ApprovalPolicy, Principal, Reviewer
from models.artifacts import Artifact
from models.base import Contract, Seed, Slug
from models.engines import LISTENER, PHOTO_ENGINES, RECORDING, EngineChoices, find_engine, resolve_plan
from models.errors import Conflict, InvalidInput, UnknownReference
from models.inspection import Use
from models.lanes import Priority
from models.layout import Brand, Captions, Card, Layout, LowerThird, MusicBed, Shape
from models.plan import Capability, Plan
from models.quality import Thresholds
from models.render import RenderRequest
from models.script import Pronunciation, Segment, Tone
from models.stages import SubjectRef, VoiceRef
from models.tables import AssetKind, Persona, Render, Script, Voice, VoiceState

PORTRAIT_LIP_CORRELATION = 0.7
"""What a warped photo's lips must reach; the presenter's mouth, being modelled, is held to the thresholds' default."""
RECORDED = VoiceRef(name=RECORDING)
"""The voice of a render that says what was recorded."""
EXAMPLE: dict[str, Any] = {
    "title": "Third quarter, to all",
    "persona": "avery",
    "script": "q3-results",
    "channel": "internal",
    "layout": {"brand": "house", "plate": "deep-blue", "shapes": ["16:9"], "captions": "burnt"},
    "approval": {"reviewers": ["priya"], "quorum": 1},
}


class MusicChoice(Contract):
    """An audio asset under the speech."""

    asset: AssetId
    level_db: Annotated[float, Field(ge=-60, le=0)] = -20.0
    duck_db: Annotated[float, Field(ge=-40, le=0)] = -10.0


class LayoutChoices(Contract):
    """What is asked of picture and sound. What is not named stays: the persona's, or the render's that is edited."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE["layout"]]})

    brand: Slug | None = None
    plate: Slug | None = None
    shapes: Annotated[tuple[Shape, ...], Field(min_length=1, max_length=3)] = (Shape.WIDE,)
    fps: Annotated[int, Field(ge=10, le=60)] = 25
    captions: Captions = Captions.BURNT
    disclosure: Annotated[Words, Field(max_length=120)] = "Synthetic presenter"
    lower_third: LowerThird | None = None
    intro: Card | None = None
    outro: Card | None = None
    music: MusicChoice | None = None
    loudness_lufs: Annotated[float, Field(ge=-30, le=-8)] = -16.0

    @model_validator(mode="after")
    def _each_shape_once(self) -> Self:
        if len(set(self.shapes)) != len(self.shapes):
            raise ValueError("shapes are named once each")
        return self


class ApprovalChoices(Contract):
    """Who decides. Without ``reviewers``: everybody on the tenant's list."""

    required: bool = True
    reviewers: Annotated[tuple[Principal, ...], Field(max_length=20)] = ()
    quorum: Annotated[int, Field(ge=1, le=5)] = 1
    remind_after_s: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(max_length=10)] = (86_400, 604_800)
    escalate_after_s: Annotated[int, Field(ge=1)] | None = None
    escalate_to: Annotated[tuple[Principal, ...], Field(max_length=20)] = ()
    expire_after_s: Annotated[int, Field(ge=1, le=366 * 86_400)] = 30 * 86_400


class NewRender(Contract):
    """What to render."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    title: Line
    persona: Slug
    script: Slug
    script_version: Annotated[int, Field(ge=1)] | None = None
    """The newest without it."""
    voice: Slug | None = None
    """The persona's own without it."""
    recording: AssetId | None = None
    """An audio asset, the whole script read aloud: it is cut into sentences and heard instead of a voice."""
    tone: Tone | None = None
    """The script's, else the persona's, without it."""
    channel: Slug = "internal"
    layout: LayoutChoices = LayoutChoices()
    engines: EngineChoices = EngineChoices()
    thresholds: Thresholds | None = None
    """What must be reached to be offered as fine; the studio's own without it."""
    approval: ApprovalChoices = ApprovalChoices()
    priority: Priority = Priority.NORMAL
    seed: Seed = 1

    @model_validator(mode="after")
    def _one_speaker(self) -> Self:
        if self.recording is not None and (self.voice or self.engines.speech):
            raise ValueError("give either a recording, or a voice and its speech engine")
        return self


class Edit(Contract):
    """A sentence that is replaced (``text``, in the scripts' SSML subset) or, without text, performed anew."""

    segment: Annotated[int, Field(ge=0, lt=400)]
    text: Annotated[str, Field(max_length=4_000)] = ""


class Rerender(Contract):
    """What is to be different this time. Only what changes is made again."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"edits": [{"segment": 3, "text": "Margins held at 41%."}]}]}
    )

    title: Line | None = None
    edits: Annotated[tuple[Edit, ...], Field(max_length=400)] = ()
    recording: AssetId | None = None
    """A new recording of the whole script as it then is. A recorded render needs one for every sentence replaced."""
    layout: LayoutChoices = LayoutChoices()
    approval: ApprovalChoices | None = None
    """As before without it."""
    note: Prose = ""

    @model_validator(mode="after")
    def _each_segment_once(self) -> Self:
        named = [edit.segment for edit in self.edits]
        if len(set(named)) != len(named):
            raise ValueError("edits name each segment once")
        return self


async def plan_render(
    studio: Services, tenant: str, who: str, render_id: str, asked: NewRender
) -> tuple[RenderRequest, Script]:
    """The request of a new render and the script it speaks.

    Raises UnknownReference for a name that does not exist, Conflict for a voice that cannot speak yet, InvalidInput for
    parts that do not go together, MediaRejected for a recording that is unfit.
    """
    store = studio.store
    persona = await store.get(Persona, tenant, asked.persona)
    voice = None if asked.recording else await store.get(Voice, tenant, asked.voice or persona.voice)
    script = await store.script(tenant, asked.script, asked.script_version)
    plain = Layout(
        brand=await brand_of(studio, tenant, persona.brand) if persona.brand else Brand(name=persona.name),
        lower_third=LowerThird(name=persona.name, title=persona.title),
    )
    request = RenderRequest(
        render_id=render_id,
        tenant=tenant,
        persona=persona.id,
        title=asked.title,
        channel=asked.channel,
        requested_by=who,
        language=script.language,
        tone=asked.tone or script.tone or persona.tone,
        segments=segments_of(list(await store.segments(script))),
        voice=_voice(voice) if voice else RECORDED,
        recording=await _recording(studio, tenant, asked.recording) if asked.recording else None,
        subject=await _subject(studio, tenant, persona),
        layout=await _laid_out(studio, tenant, plain, asked.layout),
        plan=resolve_plan(_engines(asked.engines, voice, persona), await store.weights()),
        thresholds=_thresholds(asked.thresholds or studio.settings.quality.thresholds(), persona),
        approval=await approval_policy(studio, tenant, asked.approval),
        priority=asked.priority,
        seed=asked.seed,
    )
    return request, script


async def plan_rerender(studio: Services, who: str, render_id: str, parent: Render, asked: Rerender) -> RenderRequest:
    """The request of a render that differs from ``parent`` (as reviewers left it) in what is asked."""
    base = await standing_request(studio, parent)
    script = await studio.store.script(parent.tenant, parent.script, parent.script_version) if parent.script else None
    numbered = await _edited(base, asked.edits, script.pronunciations if script else ())
    changes: dict[str, Any] = {
        "render_id": render_id,
        "requested_by": who,
        "title": asked.title or base.title,
        "segments": numbered,
        "layout": await _laid_out(studio, parent.tenant, base.layout, asked.layout),
    }
    if asked.recording is not None:
        changes |= await _recorded(studio, parent.tenant, base.plan, asked.recording)
    else:
        base.check_words(replaced=any(edit.text for edit in asked.edits))
    if asked.approval is not None:
        changes["approval"] = await approval_policy(studio, parent.tenant, asked.approval)
    # Validated anew: a copy would skip the bounds of the whole.
    return RenderRequest.model_validate(base.model_dump() | changes)


async def _edited(
    base: RenderRequest, edits: tuple[Edit, ...], pronunciations: tuple[Pronunciation, ...]
) -> tuple[Segment, ...]:
    """The sentences after the edits; an edit may say in several sentences what was one."""
    by_segment = {edit.segment: edit for edit in edits}
    beyond = max(by_segment, default=0)
    if beyond >= len(base.segments):
        raise InvalidInput(
            f"segment {beyond} does not exist: the last is {len(base.segments) - 1}",
            field="edits",
            code="render.segment_unknown",
        )
    edited: list[Segment] = []
    for old in base.segments:
        edit = by_segment.get(old.index)
        if edit is None:
            edited.append(old)
        elif not edit.text:
            edited.append(old.model_copy(update={"take": old.take + 1}))
        else:
            spoken = await sentences(edit.text, base.language, pronunciations)
            edited.extend(old.model_copy(update={"utterance": new.utterance, "take": 0}) for new in spoken)
    return tuple(segment.model_copy(update={"index": index}) for index, segment in enumerate(edited))


async def standing_request(studio: Services, render: Render) -> RenderRequest:
    """The render's request with every change its reviewers asked for."""
    request = render.request
    for verdict in await studio.store.changes(render.id):
        request = request.revised(verdict)
    return request


async def _recording(studio: Services, tenant: str, asset: str) -> Artifact:
    return await artifact_of(studio, tenant, asset, AssetKind.AUDIO, "recording", Use.RECORDING)


async def _recorded(studio: Services, tenant: str, plan: Plan, asset: str) -> dict[str, object]:
    """What changes in a render that is to say a recording."""
    speech = find_engine(Capability.SPEECH, RECORDING)
    engines = {
        "speech": speech.ref((await studio.store.weights()).get((Capability.SPEECH, RECORDING), "")),
        "alignment": (find_engine(Capability.ALIGNMENT, LISTENER).ref(),),
    }
    recording = await _recording(studio, tenant, asset)
    return {"voice": RECORDED, "recording": recording, "plan": plan.model_copy(update=engines)}


def _voice(voice: Voice) -> VoiceRef:
    if voice.state is not VoiceState.READY:
        why = f": {voice.failure.message}" if voice.failure else ""
        raise Conflict(
            f"the voice {voice.id} is {voice.state}{why}",
            field="voice",
            code="voice.not_ready",
            action="Wait until the voice is ready, or use another.",
        )
    return VoiceRef(name=voice.stock or voice.id, latents=voice.latents)


async def _subject(studio: Services, tenant: str, persona: Persona) -> SubjectRef:
    if persona.photo_asset is None:
        return SubjectRef(look=persona.look or "")
    photo = await artifact_of(studio, tenant, persona.photo_asset, AssetKind.IMAGE, "photo", Use.PORTRAIT)
    return SubjectRef(photo=photo)


def _engines(choices: EngineChoices, voice: Voice | None, persona: Persona) -> EngineChoices:
    avatar = choices.avatar or ("portrait" if persona.photo_asset else "presenter")
    find_engine(Capability.AVATAR, avatar)
    if (avatar in PHOTO_ENGINES) != (persona.photo_asset is not None):
        raise InvalidInput(
            f"{avatar} performs {'photos' if avatar in PHOTO_ENGINES else 'looks'}, and {persona.id} has none",
            field="engines.avatar",
            code="engine.subject_mismatch",
            action="Leave the avatar engine out, or name one for what the persona has.",
        )
    if voice is None:
        alignment = choices.alignment or (LISTENER,)
        return choices.model_copy(update={"speech": RECORDING, "alignment": alignment, "avatar": avatar})
    if choices.speech not in (None, voice.engine):
        raise InvalidInput(
            f"the voice {voice.id} belongs to {voice.engine}, not to {choices.speech}",
            field="engines.speech",
            code="engine.voice_mismatch",
            action="Leave the speech engine out, or name a voice of that engine.",
        )
    return choices.model_copy(update={"speech": voice.engine, "avatar": avatar})


def _thresholds(thresholds: Thresholds, persona: Persona) -> Thresholds:
    if persona.photo_asset is None:
        return thresholds
    reach = min(thresholds.lip_correlation, PORTRAIT_LIP_CORRELATION)
    return thresholds.model_copy(update={"lip_correlation": reach})


async def _laid_out(studio: Services, tenant: str, layout: Layout, choices: LayoutChoices) -> Layout:
    """``layout`` with the choices that were named."""
    named = choices.model_fields_set
    changes: dict[str, object] = {name: getattr(choices, name) for name in named - {"brand", "plate", "music"}}
    if choices.brand is not None:
        changes["brand"] = await brand_of(studio, tenant, choices.brand)
    if choices.plate is not None:
        changes["plate"] = await plate_of(studio, tenant, choices.plate)
    if choices.music is not None:
        track = await artifact_of(studio, tenant, choices.music.asset, AssetKind.AUDIO, "layout.music.asset", Use.MUSIC)
        changes["music"] = MusicBed(track=track, level_db=choices.music.level_db, duck_db=choices.music.duck_db)
    elif "music" in named:
        changes["music"] = None
    return layout.model_copy(update=changes)


async def approval_policy(studio: Services, tenant: str, choices: ApprovalChoices) -> ApprovalPolicy:
    """Who is asked. Raises UnknownReference for whoever is no reviewer, InvalidInput where too few can be asked."""
    everybody = await studio.store.reviewers(tenant)
    asked = _named(everybody, choices.reviewers, "approval.reviewers") if choices.reviewers else everybody
    if choices.required and len(asked) < choices.quorum:
        raise InvalidInput(
            f"{choices.quorum} have to agree and {len(asked)} can be asked",
            field="approval.reviewers",
            code="approval.too_few",
            action="List reviewers (PUT /reviewers/...), ask for fewer, or set approval.required to false.",
        )
    escalate_to = _named(everybody, choices.escalate_to, "approval.escalate_to")
    rest = choices.model_dump(exclude={"reviewers", "escalate_to"})
    return ApprovalPolicy(**rest, reviewers=asked, escalate_to=escalate_to)


def _named(everybody: tuple[Reviewer, ...], names: tuple[str, ...], field: str) -> tuple[Reviewer, ...]:
    by_id = {reviewer.id: reviewer for reviewer in everybody}
    for name in names:
        if name not in by_id:
            raise UnknownReference(f"no reviewer is called {name!r}", field=field)
    return tuple(by_id[name] for name in dict.fromkeys(names))
