-- ModelVersion follows kstatus: status.observedGeneration, and the conditions Ready, Reconciling
-- and Stalled, which tell of its registration. Where it goes after that is told by its Model.
local function condition(kind)
  for _, found in ipairs(obj.status.conditions) do
    if found.type == kind then
      return found
    end
  end
  return {}
end

local function health(status, message)
  return { status = status, message = message or "" }
end

if obj.metadata.deletionTimestamp ~= nil then
  return health("Progressing", "The record is being deleted.")
end
if obj.status == nil or obj.status.conditions == nil
    or obj.status.observedGeneration ~= obj.metadata.generation then
  return health("Progressing", "The operator has not looked at it yet.")
end

local stalled, reconciling = condition("Stalled"), condition("Reconciling")
if stalled.status == "True" then
  return health("Degraded", stalled.message)
end
if reconciling.status == "True" then
  return health("Progressing", reconciling.message)
end

-- A Deployment of the Model may be left out of an application's health, for it waits unready until
-- there is a model; from then on the version in Production says whether it serves. Only those carry
-- our label, for nobody but the operator writes it on a Deployment.
if obj.status.stage == "Production" then
  for _, consumer in ipairs(obj.status.consumers or {}) do
    if consumer.kind == "Deployment" and consumer.how == "Label" and consumer.ready == 0 then
      return health("Degraded", "No pod of Deployment " .. consumer.name .. " is ready.")
    end
  end
end
return health("Healthy", "In " .. (obj.status.stage or "no stage yet") .. ".")
